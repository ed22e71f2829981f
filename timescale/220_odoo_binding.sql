-- The Odoo database that this connector belongs to, known by its UUID: one row, written at the first contact. A copy of it has
-- another UUID, and is refused until a person connects it anew.
CREATE TABLE iot.odoo_binding (
    only_one      boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    database_uuid text        NOT NULL,
    bound_at      timestamptz NOT NULL DEFAULT now()
);
