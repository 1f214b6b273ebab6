/**
 * The tables of SQLite and D1, as numbered migrations. `migrations/*.sql` holds the same text for wrangler.
 *
 * `rid` is the internal id of a resource and `vid` that of a version. Commits are serial and stamps never run backwards, so the order of
 * `vid` is the order of `lu` (lastUpdated, ms since 1970). Index tables have the value first to find resources, and an index with `rid`
 * first to check one resource and to replace its rows. `type`, `p` are `names.ts` numbers; `sys` and `unit` are ids of `term`.
 */

export interface Migration {
  version: number
  name: string
  statements: readonly string[]
}

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'first',
    statements: [
      `CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID`,
      `INSERT INTO meta (name, value) VALUES ('schema', 1), ('epoch', 0), ('trigram', 0), ('words', 0)`,

      `CREATE TABLE res (rid INTEGER PRIMARY KEY, key TEXT NOT NULL, type INTEGER NOT NULL, ver INTEGER NOT NULL, lu INTEGER NOT NULL, live INTEGER NOT NULL, vid INTEGER NOT NULL)`,
      `CREATE UNIQUE INDEX res_key ON res (key)`,
      `CREATE INDEX res_type ON res (type, rid) WHERE live = 1`,
      `CREATE INDEX res_updated ON res (type, lu DESC, rid) WHERE live = 1`,
      `CREATE INDEX res_updated_all ON res (lu DESC, rid) WHERE live = 1`,

      `CREATE TABLE ver (vid INTEGER PRIMARY KEY, rid INTEGER NOT NULL, type INTEGER NOT NULL, ver INTEGER NOT NULL, lu INTEGER NOT NULL, method TEXT NOT NULL, chunks INTEGER NOT NULL, body TEXT)`,
      `CREATE UNIQUE INDEX ver_rid ON ver (rid, ver)`,
      `CREATE INDEX ver_type ON ver (type, vid)`,
      `CREATE TABLE chunk (vid INTEGER NOT NULL, n INTEGER NOT NULL, body TEXT NOT NULL)`,
      `CREATE UNIQUE INDEX chunk_vid ON chunk (vid, n)`,

      `CREATE TABLE term (id INTEGER PRIMARY KEY, text TEXT NOT NULL)`,
      `CREATE UNIQUE INDEX term_text ON term (text)`,
      `CREATE TABLE tok (p INTEGER NOT NULL, code TEXT NOT NULL, rid INTEGER NOT NULL, sys INTEGER NOT NULL, PRIMARY KEY (p, code, rid, sys)) WITHOUT ROWID`,
      `CREATE INDEX tok_rid ON tok (rid, p)`,

      `CREATE TABLE sv (sid INTEGER PRIMARY KEY, p INTEGER NOT NULL, folded TEXT NOT NULL, exact TEXT NOT NULL)`,
      `CREATE UNIQUE INDEX sv_folded ON sv (p, folded, exact)`,
      `CREATE VIRTUAL TABLE sv_trigram USING fts5 (folded, content='', detail=none, tokenize='trigram case_sensitive 1')`,
      `CREATE TABLE str (sid INTEGER NOT NULL, rid INTEGER NOT NULL, p INTEGER NOT NULL, PRIMARY KEY (sid, rid)) WITHOUT ROWID`,
      `CREATE INDEX str_rid ON str (rid, p)`,

      `CREATE TABLE uri (p INTEGER NOT NULL, value TEXT NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, value, rid)) WITHOUT ROWID`,
      `CREATE INDEX uri_rid ON uri (rid, p)`,

      `CREATE TABLE dat (p INTEGER NOT NULL, lo INTEGER NOT NULL, hi INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, lo, hi, rid)) WITHOUT ROWID`,
      `CREATE INDEX dat_hi ON dat (p, hi, rid)`,
      `CREATE INDEX dat_rid ON dat (rid, p)`,
      // Longer than a week: `windows.ts`.
      `CREATE INDEX dat_long ON dat (p, hi) WHERE hi - lo > 604800000`,

      `CREATE TABLE qty (p INTEGER NOT NULL, unit INTEGER NOT NULL, lo TEXT NOT NULL, hi TEXT NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, unit, lo, hi, rid)) WITHOUT ROWID`,
      `CREATE INDEX qty_rid ON qty (rid, p, unit)`,

      `CREATE TABLE ref (p INTEGER NOT NULL, id TEXT NOT NULL, rid INTEGER NOT NULL, type INTEGER NOT NULL, version TEXT NOT NULL, PRIMARY KEY (p, id, rid, type, version)) WITHOUT ROWID`,
      `CREATE INDEX ref_rid ON ref (rid, p)`,

      // Each text begins and ends with a blank and has one between its words. The ids are never given again, for the index follows behind.
      `CREATE TABLE wrd (wid INTEGER PRIMARY KEY AUTOINCREMENT, rid INTEGER NOT NULL, p INTEGER NOT NULL, words TEXT NOT NULL)`,
      `CREATE UNIQUE INDEX wrd_rid ON wrd (rid, p)`,
      // To this tokenizer everything beyond ASCII is part of a word: vowel signs, and letters of a later Unicode than SQLite knows.
      `CREATE VIRTUAL TABLE wrd_index USING fts5 (words, content='', contentless_delete=1, detail=none, tokenize='ascii')`,
      `CREATE TABLE wrd_gone (wid INTEGER PRIMARY KEY)`,
      `CREATE TRIGGER wrd_deleted AFTER DELETE ON wrd BEGIN INSERT INTO wrd_gone (wid) VALUES (OLD.wid); END`,

      `CREATE TABLE pos (p INTEGER NOT NULL, lat REAL NOT NULL, lon REAL NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, lat, lon, rid)) WITHOUT ROWID`,
      `CREATE INDEX pos_rid ON pos (rid, p)`,

      // part: 0 the only key, 1 the smallest, 2 the largest; 5 a mark of a date or quantity: with the key '' the resource has several values,
      // with the key U+0001 it has a quantity that is a range.
      `CREATE TABLE srt (p INTEGER NOT NULL, key TEXT NOT NULL, rid INTEGER NOT NULL, part INTEGER NOT NULL, PRIMARY KEY (p, key, rid, part)) WITHOUT ROWID`,
      `CREATE INDEX srt_rid ON srt (rid, p)`,

      `CREATE TABLE claim (name TEXT PRIMARY KEY, rid INTEGER NOT NULL) WITHOUT ROWID`,
      `CREATE INDEX claim_rid ON claim (rid)`,
      `CREATE TABLE counter (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID`,
      `CREATE TABLE lease (name TEXT PRIMARY KEY, owner TEXT NOT NULL, fence INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID`,
      `CREATE TABLE kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
      `CREATE TABLE remembered (name TEXT PRIMARY KEY, text TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID`,
      `CREATE INDEX remembered_until ON remembered (until)`,
      `CREATE TABLE outbox (id TEXT PRIMARY KEY, kind TEXT NOT NULL, due INTEGER NOT NULL, body TEXT NOT NULL, fence INTEGER NOT NULL, until INTEGER NOT NULL)`,
      `CREATE INDEX outbox_due ON outbox (due)`,
      // base: the highest vid before the commit; its changes have the numbers after it, in their order.
      `CREATE TABLE done (n INTEGER PRIMARY KEY, id TEXT NOT NULL, base INTEGER NOT NULL, at INTEGER NOT NULL)`,
      `CREATE UNIQUE INDEX done_id ON done (id)`,

      // cid: release, length of the display and place in the load (`concepts.ts`), which is the order of finding.
      `CREATE TABLE release (rel INTEGER PRIMARY KEY AUTOINCREMENT, system TEXT NOT NULL, version TEXT NOT NULL, title TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL, written INTEGER NOT NULL, concepts INTEGER NOT NULL, designations INTEGER NOT NULL, types TEXT NOT NULL)`,
      `CREATE UNIQUE INDEX release_current ON release (system) WHERE state = 'current'`,
      `CREATE TABLE concept (cid INTEGER PRIMARY KEY, rel INTEGER NOT NULL, code TEXT NOT NULL, active INTEGER NOT NULL, names INTEGER NOT NULL, parents TEXT NOT NULL, body TEXT NOT NULL)`,
      `CREATE UNIQUE INDEX concept_code ON concept (rel, code)`,
      `CREATE VIRTUAL TABLE concept_index USING fts5 (words, content='', contentless_delete=1, detail=none, tokenize='ascii')`,

      // A row inserted here ends the batch: D1 has no other way to make a condition part of one.
      `CREATE TABLE abort (what TEXT NOT NULL)`,
      `CREATE TRIGGER abort_batch BEFORE INSERT ON abort BEGIN SELECT RAISE(ABORT, 'abort:' || NEW.what); END`,
    ],
  },
]

export const SCHEMA_VERSION: number = MIGRATIONS.at(-1)!.version

/** Returns the text of a migration file as wrangler applies it. */
export const migrationText = (migration: Migration): string =>
  migration.statements.map(statement => `${statement};\n`).join('')

/** Returns the name of a migration file: wrangler applies them in the order of their names. */
export const migrationFile = ({ version, name }: Migration): string =>
  `${String(version).padStart(4, '0')}_${name}.sql`
