CREATE TABLE IF NOT EXISTS orders (
    id        INTEGER PRIMARY KEY,
    customer  TEXT    NOT NULL,
    item      TEXT    NOT NULL,
    quantity  INTEGER NOT NULL,
    placed_at TEXT    NOT NULL DEFAULT (datetime('now')),
    paid_at   TEXT
) STRICT;

CREATE INDEX IF NOT EXISTS orders_by_time ON orders (placed_at);
CREATE INDEX IF NOT EXISTS orders_unpaid ON orders (id) WHERE paid_at IS NULL;

-- One email for each order. `taken`: it is being sent, or was when the process ended.
CREATE TABLE IF NOT EXISTS mail_jobs (
    order_id   INTEGER PRIMARY KEY REFERENCES orders (id),
    state      TEXT    NOT NULL DEFAULT 'waiting'
               CHECK (state IN ('waiting', 'taken', 'sent', 'dead')),
    attempts   INTEGER NOT NULL DEFAULT 0,
    due_at     INTEGER NOT NULL DEFAULT (unixepoch()),
    last_error TEXT
) STRICT;

CREATE INDEX IF NOT EXISTS mail_jobs_open ON mail_jobs (due_at, order_id)
    WHERE state IN ('waiting', 'taken');

CREATE TABLE IF NOT EXISTS daily_reports (
    day    TEXT    PRIMARY KEY,
    orders INTEGER NOT NULL,
    pieces INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS counters (
    name  TEXT    PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT;
