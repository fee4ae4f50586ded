CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS apps (
    client_id TEXT PRIMARY KEY,
    secret_hash BLOB NOT NULL,
    name TEXT NOT NULL,
    website TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- A brand publishes through the API; a person was typed in on the web page and comments, likes, writes.
CREATE TABLE IF NOT EXISTS accounts (
    id INTEGER PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    bio TEXT NOT NULL DEFAULT '',
    color TEXT NOT NULL,
    kind TEXT NOT NULL DEFAULT 'brand',
    seed INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    base_followers INTEGER NOT NULL DEFAULT 0,
    daily_growth REAL NOT NULL DEFAULT 0,
    following INTEGER NOT NULL DEFAULT 0,
    mode TEXT NOT NULL DEFAULT 'idempotency_key',
    text_max INTEGER NOT NULL DEFAULT 500,
    images_max INTEGER NOT NULL DEFAULT 4,
    quota_limit INTEGER NOT NULL DEFAULT 0,
    quota_window_s INTEGER NOT NULL DEFAULT 3600,
    media_processing_s REAL NOT NULL DEFAULT 0,
    container_processing_s REAL NOT NULL DEFAULT 0,
    read_lag_s REAL NOT NULL DEFAULT 0,
    consistency_window_s INTEGER NOT NULL DEFAULT 5,
    access_ttl_s INTEGER NOT NULL DEFAULT 0,
    refresh_ttl_s INTEGER NOT NULL DEFAULT 0,
    topics TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS accounts_person ON accounts (name) WHERE kind = 'person';

CREATE TABLE IF NOT EXISTS codes (
    hash BLOB PRIMARY KEY,
    client_id TEXT NOT NULL,
    account_id INTEGER NOT NULL,
    scopes TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    grant_id INTEGER
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS grants (
    id INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    reason TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS grants_account ON grants (account_id);

CREATE TABLE IF NOT EXISTS tokens (
    hash BLOB PRIMARY KEY,
    grant_id INTEGER NOT NULL REFERENCES grants (id),
    kind TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    dead_at INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tokens_grant ON tokens (grant_id, kind);

CREATE TABLE IF NOT EXISTS media (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL,
    mime TEXT NOT NULL,
    size INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    alt_text TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ready_at INTEGER NOT NULL,
    is_broken INTEGER NOT NULL DEFAULT 0,
    content BLOB NOT NULL
);

-- anchor_id: the post (or thread part) a comment belongs to; NULL for posts and thread parts.
-- root_id: the first post of the whole page; its own id for a first post.
CREATE TABLE IF NOT EXISTS posts (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    text TEXT NOT NULL,
    text_hash BLOB NOT NULL,
    language TEXT NOT NULL DEFAULT '',
    topic TEXT NOT NULL DEFAULT '',
    card TEXT,
    media_count INTEGER NOT NULL DEFAULT 0,
    reply_to INTEGER,
    root_id INTEGER,
    anchor_id INTEGER,
    created_at INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    client_ref TEXT NOT NULL DEFAULT '',
    quality REAL NOT NULL DEFAULT 1,
    hidden_at INTEGER,
    deleted_at INTEGER
);
CREATE INDEX IF NOT EXISTS posts_account ON posts (account_id, created_at);
CREATE INDEX IF NOT EXISTS posts_root ON posts (root_id) WHERE reply_to IS NOT NULL;
CREATE INDEX IF NOT EXISTS posts_anchor ON posts (anchor_id) WHERE anchor_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS posts_answers ON posts (reply_to) WHERE reply_to IS NOT NULL;
CREATE INDEX IF NOT EXISTS posts_timeline ON posts (created_at) WHERE reply_to IS NULL;

-- Which posts and comments name an account (@handle), as it stood when they were written.
CREATE TABLE IF NOT EXISTS mentions (
    account_id INTEGER NOT NULL, post_id INTEGER NOT NULL, PRIMARY KEY (account_id, post_id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS post_media (
    post_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    media_id INTEGER NOT NULL,
    PRIMARY KEY (post_id, position)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS containers (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL,
    draft TEXT NOT NULL,
    client_ref TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ready_at INTEGER NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    post_id INTEGER
);

CREATE TABLE IF NOT EXISTS idempotency (
    account_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    request_hash BLOB NOT NULL,
    remote_id INTEGER NOT NULL,
    PRIMARY KEY (account_id, key)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS likes (
    post_id INTEGER NOT NULL, account_id INTEGER NOT NULL, PRIMARY KEY (post_id, account_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shares (
    post_id INTEGER NOT NULL, account_id INTEGER NOT NULL, PRIMARY KEY (post_id, account_id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY,
    sender_id INTEGER NOT NULL,
    recipient_id INTEGER NOT NULL,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    client_ref TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS messages_sender ON messages (sender_id, id);
CREATE INDEX IF NOT EXISTS messages_recipient ON messages (recipient_id, id);

-- What the number of followers was before the growth model takes over (demonstration data).
CREATE TABLE IF NOT EXISTS follower_history (
    account_id INTEGER NOT NULL, at INTEGER NOT NULL, followers INTEGER NOT NULL, PRIMARY KEY (account_id, at)
) WITHOUT ROWID;

-- Append-only: one row per API request, written in the transaction of what the request changed.
CREATE TABLE IF NOT EXISTS ledger (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    account_id INTEGER,
    endpoint TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    client_ref TEXT NOT NULL,
    text_hash BLOB,
    post_id INTEGER,
    is_new INTEGER NOT NULL,
    status INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    fault TEXT NOT NULL,
    early_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS ledger_early ON ledger (id) WHERE early_ms > 0;
