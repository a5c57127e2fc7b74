"""The addresses: portal (/), tracking (/suivi/), keying (/saisie/), bailiff (/constat/), api/, admin/."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from config import views

handler400 = "config.views.bad_request"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("connexion/", auth.LoginView.as_view(template_name="login.html"), name="login"),
    path("deconnexion/", auth.LogoutView.as_view(), name="logout"),
    path("accueil/", views.home, name="home"),
    path("sante/", views.health, name="health"),
    path("composants/", views.components, name="components"),
    path("bailleurs/", include("campaigns.urls")),
    path("suivi/", include("tracking.urls")),
    path("api/", include("tracking.api_urls")),
    path("saisie/", include("returns.urls")),
    path("constat/", include("tenants.bailiff.urls")),
    path("messages/", include("tenants.urls")),
    path("", include("portal.urls")),
]
