"""From the plain tables of a profile document to a MappingProfile, collecting every problem as a French sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .code_tables import canonical_values
from .layouts import LayoutError, date_layout, split_pattern
from .paths import PathError, SourcePath, parse_path
from .profile import (
    HOUSEHOLD_TARGETS,
    OCCUPANT_TARGETS,
    FieldMapping,
    JoinedList,
    MappingProfile,
    OccupantRows,
    ProfileError,
    ValueType,
)

_OPTIONS: dict[str, type | tuple[type, ...]] = {
    "source": (str, list),
    "type": str,
    "format": str,
    "separator": str,
    "cents": bool,
    "true": list,
    "false": list,
    "table": str,
    "keep": bool,
    "values": dict,
    "constant": str,
    "default": str,
    "required": bool,
    "pattern": str,
    "part": str,
    "join": str,
    "split": str,
    "piece": int,
    "pivot": int,
}
_AS_WRITTEN = (
    *("format", "cents", "table", "keep", "constant", "default", "required", "pattern"),
    *("join", "split", "piece", "pivot"),
)
_ROOT_KEYS = {"name", "title", "version", "household", "occupant", "joins", "namespaces", "ignored", "empty"}
_TYPED_TARGETS = {
    "move_in": ValueType.DATE,
    "birth_date": ValueType.DATE,
    "rent": ValueType.DECIMAL,
    "surface": ValueType.DECIMAL,
    "qpv": ValueType.BOOLEAN,
    "apl": ValueType.BOOLEAN,
    "frr": ValueType.BOOLEAN,
    "zrr": ValueType.BOOLEAN,
    "zus": ValueType.BOOLEAN,
    "plh_exempt": ValueType.BOOLEAN,
    "conventioned": ValueType.BOOLEAN,
    "convention_on": ValueType.DATE,
    "exempt_zone_at_move_in": ValueType.BOOLEAN,
    "large_print": ValueType.BOOLEAN,
    "cmi": ValueType.BOOLEAN,
    "dependant": ValueType.BOOLEAN,
    "non_response_years": ValueType.INTEGER,
    "rank": ValueType.INTEGER,
    "link": ValueType.CODE,
    "status": ValueType.CODE,
    "activity": ValueType.CODE,
    "financing": ValueType.CODE,
    "sex": ValueType.CODE,
}


def wanted_type(target: str) -> ValueType | None:
    """The type that a field must have; None for those that hold a text."""
    return _TYPED_TARGETS.get(target)


_TEXT_TYPES = (ValueType.TEXT, ValueType.CODE, ValueType.LABEL)
_LIST_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NOWHERE = SourcePath(".", ())


class ProfileParser:
    """One reading of one document; `parse()` may be called once."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self.tables = tables
        self.problems: list[str] = []
        self.namespaces = {str(k): str(v) for k, v in self._table(tables, "namespaces", "le profil").items()}

    def parse(self) -> MappingProfile:
        """The profile, or ProfileError with all the problems."""
        for key in sorted(set(self.tables) - _ROOT_KEYS):
            self.problems.append(f"Le profil contient « {key} », qui n'est pas une rubrique connue.")
        household = self._table(self.tables, "household", "le profil", required=True)
        fields = self._fields(household, "[household.fields]", HOUSEHOLD_TARGETS)
        joins = self._joins(fields)
        group_by = self._optional_path(household, "group_by", "[household]")
        profile = MappingProfile(
            name=self._text(self.tables, "name"),
            title=self._text(self.tables, "title"),
            version=self._version(),
            path=self._row_path(household, "[household]"),
            fields=fields,
            occupant=self._occupant(group_by),
            joins=joins,
            group_by=group_by,
            ignored=tuple(self._path(text, "« ignored »") for text in self._texts(self.tables, "ignored", "le profil")),
            empty=frozenset(self._texts(self.tables, "empty", "le profil")),
            scattered=self._flag(household, "scattered", "[household]"),
        )
        self._check_whole(profile)
        if self.problems:
            raise ProfileError(self.problems)
        return profile

    def _check_whole(self, profile: MappingProfile) -> None:
        mapped = {mapping.target for mapping in profile.household_fields()}
        if "tenant_ref" not in mapped:
            self.problems.append("Le champ « tenant_ref » (référence du locataire) doit être alimenté.")
        if profile.scattered and profile.group_by is None:
            self.problems.append("« scattered » ne s'emploie qu'avec « group_by ».")
        if profile.group_by is not None and profile.relational:
            self.problems.append("« group_by » ne s'emploie pas avec des listes jointes.")
        paths = [profile.path, *(joined.path for joined in profile.joins)]
        if profile.occupant.key is not None and profile.occupant.path is not None:
            paths.append(profile.occupant.path)
        if len({path.steps for path in paths}) < len(paths):
            self.problems.append("Deux listes ne peuvent pas lire le même élément.")
        if not any(mapping.target == "last_name" for mapping in profile.occupant.fields):
            self.problems.append("Le champ « last_name » (nom de l'occupant) doit être alimenté.")

    # — sections —

    def _occupant(self, group_by: SourcePath | None) -> OccupantRows:
        table = self._table(self.tables, "occupant", "le profil", required=True)
        fields = self._fields(table, "[occupant.fields]", OCCUPANT_TARGETS)
        key = self._optional_path(table, "key", "[occupant]")
        match = self._optional_path(table, "match", "[occupant]")
        if (key is None) != (match is None):
            self.problems.append("[occupant] : « key » et « match » vont ensemble.")
        if group_by is not None:
            if "path" in table:
                self.problems.append("[occupant] : avec « group_by », l'occupant est sur la ligne ; retirez « path ».")
            return OccupantRows(None, fields)
        return OccupantRows(self._row_path(table, "[occupant]"), fields, key, match)

    def _joins(self, fields: tuple[FieldMapping, ...]) -> tuple[JoinedList, ...]:
        joins: list[JoinedList] = []
        taken = {mapping.target for mapping in fields}
        for name in self._table(self.tables, "joins", "le profil"):
            place = f"[joins.{name}]"
            if _LIST_NAME.fullmatch(name) is None:
                self.problems.append(f"{place} : un nom de liste s'écrit en minuscules, sans espace.")
            table = self._table(self.tables["joins"], name, "[joins]")
            joined = JoinedList(
                name,
                self._row_path(table, place),
                self._path(self._required_text(table, "key", place), place),
                self._path(self._required_text(table, "match", place), place),
                self._fields(table, f"[joins.{name}.fields]", HOUSEHOLD_TARGETS),
                self._text(table, "via"),
            )
            if joined.via and joined.via not in {known.name for known in joins}:
                self.problems.append(f"{place} : la liste « {joined.via} » (via) doit être déclarée avant celle-ci.")
            for mapping in joined.fields:
                if mapping.target in taken:
                    self.problems.append(f"{place} : « {mapping.target} » est déjà alimenté ailleurs.")
                taken.add(mapping.target)
            joins.append(joined)
        return tuple(joins)

    def _fields(self, section: Mapping[str, Any], place: str, known: tuple[str, ...]) -> tuple[FieldMapping, ...]:
        mappings: list[FieldMapping] = []
        for target, raw in self._table(section, "fields", place, required=True).items():
            if target not in known:
                self.problems.append(f"{place} : « {target} » n'est pas un de nos champs.")
                continue
            options = {"source": raw} if isinstance(raw, str) else raw
            if not isinstance(options, Mapping):
                self.problems.append(f"{place} : « {target} » attend un chemin ou une table d'options.")
                continue
            mapping = self._field(target, options, f"{place} « {target} »")
            if mapping is not None:
                mappings.append(mapping)
        return tuple(mappings)

    def _field(self, target: str, options: Mapping[str, Any], place: str) -> FieldMapping | None:
        before = len(self.problems)
        for key, value in options.items():
            expected = _OPTIONS.get(key)
            if expected is None:
                self.problems.append(f"{place} : l'option « {key} » n'existe pas.")
            elif not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
                self.problems.append(f"{place} : l'option « {key} » n'a pas la bonne forme.")
        if len(self.problems) > before:
            return None
        kind = options.get("type", "text")
        if kind not in list(ValueType):
            self.problems.append(f"{place} : le type « {kind} » n'existe pas ({', '.join(ValueType)}).")
            return None
        if bool(options.get("source")) == ("constant" in options):
            self.problems.append(f"{place} : donnez « source » ou « constant », et un seul des deux.")
            return None
        sources = self._sources(options.get("source", []), place)
        mapping = FieldMapping(
            target=target,
            source=sources[0] if sources else None,
            more=sources[1:],
            type=ValueType(kind),
            **{key: options[key] for key in _AS_WRITTEN if key in options},
            separator=options.get("separator", "."),
            true=tuple(map(str, options.get("true", ()))),
            false=tuple(map(str, options.get("false", ()))),
            values=tuple((str(code), str(value)) for code, value in options.get("values", {}).items()),
            part=options.get("part", target),
        )
        self._check_field(mapping, place)
        return mapping

    def _check_target(self, mapping: FieldMapping, place: str) -> None:
        """The type must be one that our field can hold, and the values our own."""
        wanted = _TYPED_TARGETS.get(mapping.target)
        if wanted is not None and mapping.type is not wanted:
            self.problems.append(f"{place} : ce champ attend le type « {wanted} ».")
        if wanted is None and mapping.type not in _TEXT_TYPES:
            self.problems.append(f"{place} : ce champ attend le type « text », « code » ou « label ».")
        ours = canonical_values(mapping.target)
        for value in (value for _, value in mapping.values if ours and value not in ours):
            self.problems.append(f"{place} : « {value} » n'est pas une de nos valeurs ({', '.join(sorted(ours))}).")

    def _check_field(self, mapping: FieldMapping, place: str) -> None:
        self._check_target(mapping, place)
        try:
            if mapping.type is ValueType.DATE:
                date_layout(mapping.format, mapping.pivot)
            if mapping.pattern:
                split_pattern(mapping.pattern, mapping.part)
        except LayoutError as error:
            self.problems.append(f"{place} : {error}.")
        if bool(mapping.split) != bool(mapping.piece) or (mapping.split and mapping.pattern):
            self.problems.append(f"{place} : « split » et « piece » (1, 2… ou -1) vont ensemble, sans « pattern ».")
        if mapping.type is ValueType.LABEL and not mapping.table:
            self.problems.append(f"{place} : le type « label » demande « table ».")
        if mapping.type is ValueType.CODE and not (mapping.table or mapping.values):
            self.problems.append(f"{place} : le type « code » demande « table » ou « values ».")
        if mapping.separator not in (".", ","):
            self.problems.append(f"{place} : le séparateur décimal est « . » ou « , ».")
        if bool(mapping.true) != bool(mapping.false) or set(mapping.true) & set(mapping.false):
            self.problems.append(f"{place} : « true » et « false » vont ensemble et ne partagent aucune valeur.")

    # — small readers —

    def _table(self, tables: Any, key: str, place: str, *, required: bool = False) -> Mapping[str, Any]:
        value = tables.get(key) if isinstance(tables, Mapping) else None
        if isinstance(value, Mapping):
            return value
        if value is not None or required:
            self.problems.append(f"Dans {place}, la table « {key} » manque ou n'est pas une table.")
        return {}

    def _text(self, tables: Mapping[str, Any], key: str) -> str:
        value = tables.get(key, "")
        if not isinstance(value, str):
            self.problems.append(f"« {key} » doit être un texte.")
            return ""
        return value

    def _flag(self, tables: Mapping[str, Any], key: str, place: str) -> bool:
        value = tables.get(key, False)
        if not isinstance(value, bool):
            self.problems.append(f"Dans {place}, « {key} » vaut true ou false.")
        return value is True

    def _texts(self, tables: Mapping[str, Any], key: str, place: str) -> list[str]:
        value = tables.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.problems.append(f"Dans {place}, « {key} » doit être une liste de textes.")
            return []
        return value

    def _required_text(self, tables: Mapping[str, Any], key: str, place: str) -> str:
        value = self._text(tables, key)
        if not value:
            self.problems.append(f"{place} : « {key} » manque.")
            return "."
        return value

    def _version(self) -> int:
        value = self.tables.get("version", 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self.problems.append("« version » est un nombre entier à partir de 1.")
            return 1
        return value

    def _path(self, text: str, place: str) -> SourcePath:
        try:
            return parse_path(text, self.namespaces)
        except PathError as error:
            self.problems.append(f"{place} : {error}.")
            return _NOWHERE

    def _sources(self, written: Any, place: str) -> tuple[SourcePath, ...]:
        """The place, or the places to join, that feed a field."""
        texts = [written] if isinstance(written, str) else written
        if not all(isinstance(text, str) for text in texts):
            self.problems.append(f"{place} : « source » attend un chemin, ou une liste de chemins.")
            return ()
        return tuple(self._path(text, place) for text in texts)

    def _row_path(self, table: Mapping[str, Any], place: str) -> SourcePath:
        path = self._path(self._required_text(table, "path", place), place)
        if path.attribute or any(step.attribute for step in path.steps):
            self.problems.append(f"{place} : « path » mène à un élément, sans attribut ni condition.")
        return path

    def _optional_path(self, table: Mapping[str, Any], key: str, place: str) -> SourcePath | None:
        return self._path(self._text(table, key), place) if table.get(key) else None
