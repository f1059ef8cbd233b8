-- `VERSION` in `open.rs` counts the changes of these tables.
CREATE TABLE orders (
    id        INTEGER PRIMARY KEY,
    customer  TEXT    NOT NULL,
    item      TEXT    NOT NULL,
    quantity  INTEGER NOT NULL,
    placed_at TEXT    NOT NULL DEFAULT (datetime('now')),
    paid_at   TEXT
) STRICT;

CREATE INDEX orders_by_time ON orders (placed_at);
CREATE INDEX orders_unpaid ON orders (id) WHERE paid_at IS NULL;

-- What has become of the email of each order. `unpushed`: the queue is on a server, and does not have its job yet.
CREATE TABLE mails (
    order_id INTEGER PRIMARY KEY REFERENCES orders (id),
    state    TEXT    NOT NULL CHECK (state IN ('unpushed', 'waiting', 'sent', 'dead')),
    -- The unique key of its job on a server.
    key      TEXT    NOT NULL DEFAULT (lower(hex(randomblob(16))))
) STRICT;

CREATE INDEX mails_unpushed ON mails (order_id) WHERE state = 'unpushed';

CREATE TABLE daily_reports (
    day    TEXT    PRIMARY KEY,
    orders INTEGER NOT NULL,
    pieces INTEGER NOT NULL
) STRICT;

CREATE TABLE counters (
    name  TEXT    PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT;
