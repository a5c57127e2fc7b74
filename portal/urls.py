"""Addresses. No case, no person and no code ever stands in one, except the token of a personal link."""

from django.urls import include, path

from portal.views import documents, entrance, information, people, pieces, questions, sending

journey = [
    path("", entrance.entrance, name="entrance"),
    path("a/<str:token>", entrance.link, name="link"),
    path("bienvenue/", entrance.welcome, name="welcome"),
    path("quitter/", entrance.quit_portal, name="quit"),
    path("rester/", entrance.stay, name="stay"),
    path("etapes/", questions.tasks, name="tasks"),
    path("questions/<slug:key>/", questions.section, name="section"),
    path("questions/<slug:key>/<int:row>/", questions.questions, name="questions"),
    path("personnes/<slug:key>/", people.people, name="people"),
    path("personnes/<slug:key>/ajouter/", people.add, name="add_person"),
    path("personnes/<slug:key>/<int:row>/", people.person, name="person"),
    path("personnes/<slug:key>/<int:row>/depart/", people.departure, name="departure"),
    path("personnes/<slug:key>/<int:row>/toujours-la/", people.still_here, name="still_here"),
    path("personnes/<slug:key>/<int:row>/retirer/", people.remove, name="remove_person"),
    path("pieces/", pieces.pieces, name="pieces"),
    path("pieces/<slug:kind>/<int:row>/", pieces.piece, name="piece"),
    path("pieces/fichier/<int:pk>", pieces.file, name="file"),
    path("pieces/fichier/<int:pk>/retirer/", pieces.remove_file, name="remove_file"),
    path("verifier/", sending.review, name="review"),
    path("completer/", sending.complement, name="complement"),
    path("suivi-du-dossier/", sending.status, name="status"),
    path("documents/", documents.documents, name="documents"),
    path("documents/gros-caracteres/", documents.print_size, name="print_size"),
    path("documents/questionnaire.pdf", documents.form, name="form_copy"),
    path("documents/courrier-<int:number>.pdf", documents.letter, name="letter_copy"),
    path("suivi-du-dossier/recu.pdf", sending.receipt, name="receipt"),
]
pages = [
    path(f"{address}/", information.information, {"page": page}, name=page)
    for address, page in (
        ("aide", "help"),
        ("authenticite", "genuine"),
        ("donnees-personnelles", "privacy"),
        ("mentions-legales", "legal"),
        ("accessibilite", "accessibility"),
    )
]
urlpatterns = [path("", include((journey, "portal"))), *pages]
