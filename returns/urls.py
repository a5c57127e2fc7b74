"""Addresses of the operators' screens, under /saisie/."""

from django.urls import path

from returns.views import desk, keying, quality, supervisor, turning

app_name = "keying"
urlpatterns = [
    path("", keying.home, name="home"),
    path("campagne/<int:campaign>/", keying.work, name="work"),
    path("campagne/<int:campaign>/annuler/", keying.undo, name="undo"),
    path("champ/<int:pk>/", keying.enter, name="enter"),
    path("champ/<int:pk>/suivant/", keying.following, name="following"),
    path("champ/<int:pk>/superviseur/", keying.refer, name="refer"),
    path("champ/<int:pk>/image.png", keying.crop, name="crop"),
    path("champ/<int:pk>/avant.png", keying.crop_before, name="crop_before"),
    path("champ/<int:pk>/page.png", keying.page, name="page"),
    path("champ/<int:pk>/tourner/", turning.turn_sheet, name="turn_sheet"),
    path("champ/<int:pk>/lectures/", keying.readings, name="readings"),
    path("champ/<int:pk>/feuille/<int:sheet>.png", keying.sheet, name="sheet"),
    path("champ/<int:pk>/piece/<int:document>.png", keying.uploaded, name="uploaded"),
    path("superviseur/", supervisor.desk, name="desk"),
    path("superviseur/<int:pk>/", supervisor.settle, name="settle"),
    path("superviseur/<int:pk>/reponse/", supervisor.give_back, name="give_back"),
    path("qualite/<int:campaign>/", quality.quality, name="quality"),
    path("qualite/<int:campaign>/lot/", quality.draw, name="draw_lot"),
    path("lots/<int:pk>.csv", quality.lot_report, name="lot_report"),
    path("lots/<int:pk>.pdf", quality.lot_document, name="lot_document"),
    path("lots/<int:pk>/ressaisie/", quality.key_again, name="key_again"),
    path("operateurs/", quality.operators, name="operators"),
    path("rapprochement/", desk.lost_pages, name="lost_pages"),
    path("rapprochement/<int:pk>/", desk.lost_page, name="lost_page"),
    path("rapprochement/<int:pk>/page.png", desk.lost_page_picture, name="lost_page_picture"),
    path("rapprochement/<int:pk>/decision/", desk.decide, name="decide"),
    path("rapprochement/<int:pk>/tourner/", turning.turn_lost_page, name="turn_lost_page"),
    path("reprises/<int:pk>/", desk.rescan, name="rescan"),
    path("reprises/<int:pk>/page.png", desk.rescan_picture, name="rescan_picture"),
    path("pieces/", desk.pieces, name="pieces"),
    path("pieces/<int:pk>/", desk.piece, name="piece"),
    path("pieces/<int:pk>/image", desk.piece_picture, name="piece_picture"),
    path("pieces/<int:pk>/tourner/", turning.turn_piece, name="turn_piece"),
    path("pieces/<int:pk>/nature/", desk.qualify, name="qualify"),
]
