/** The versions of a commit with their texts, as statements: the stamp is overwritten where the commit moved it. */
import { type Change, type Commit, stamped } from '../port.ts'
import { type Sql, sql } from './sql.ts'

const STAMP = `strftime('%Y-%m-%dT%H:%M:%S', d.at / 1000, 'unixepoch') || printf('.%03dZ', d.at % 1000)`

/** Parameters: body, the stamp that it holds, where it stands (from 0), method, further pieces, commit id, key. */
const ONE_VERSION =
  'INSERT INTO ver (body, vid, rid, type, ver, lu, method, chunks) ' +
  `SELECT CASE WHEN ?1 IS NULL OR d.at = ?2 THEN ?1 ELSE substr(?1, 1, ?3) || ${STAMP} || substr(?1, ?3 + 25) END, ` +
  'd.base + 1, r.rid, r.type, r.ver, d.at, ?4, ?5 FROM done d CROSS JOIN res r WHERE d.id = ?6 AND r.key = ?7'

/**
 * Parameters: the bodies, their keys, methods, stamps' places (from 0) and numbers of further pieces, each a JSON array; the place of the
 * first in the commit, the stamp that they hold, the commit id.
 */
const VERSIONS =
  'INSERT INTO ver (body, vid, rid, type, ver, lu, method, chunks) SELECT ' +
  `CASE WHEN j.value IS NULL OR d.at = ?7 THEN j.value ELSE substr(j.value, 1, ?4->>j.key) || ${STAMP} || substr(j.value, (?4->>j.key) + 25) END, ` +
  'd.base + ?6 + j.key, r.rid, r.type, r.ver, d.at, ?3->>j.key, ?5->>j.key ' +
  'FROM done d CROSS JOIN json_each(?1) j CROSS JOIN res r ON r.key = ?2->>j.key WHERE d.id = ?8'

/** JSON of bodies in one parameter, in UTF-16 units: well below D1's 2 MB even in the longest UTF-8. */
const BODIES = 300_000

/** Returns the statements that store the versions; texts longer than `pieceLength` UTF-16 units in pieces. */
export function versions(commit: Commit, pieceLength: number): Sql[] {
  const statements: Sql[] = []
  const { changes } = commit
  const texts: (string | null)[] = []
  const pieces: number[] = []
  let length = 0
  let first = 0
  const flush = (): void => {
    if (texts.length === 0) return
    if (changes.length === 1) {
      const [{ key, method, body }] = changes as [Change]
      const params = [texts[0]!, commit.at, body?.stampAt ?? 0, method, pieces[0]!, commit.id, key]
      statements.push({ text: ONE_VERSION, params })
      return
    }
    const these = changes.slice(first, first + texts.length)
    const params = [
      JSON.stringify(texts),
      JSON.stringify(these.map(change => change.key)),
      JSON.stringify(these.map(change => change.method)),
      JSON.stringify(these.map(change => change.body?.stampAt ?? 0)),
      JSON.stringify(pieces),
      first + 1,
      commit.at,
      commit.id,
    ]
    statements.push({ text: VERSIONS, params })
    first += texts.length
    texts.length = 0
    pieces.length = 0
    length = 0
  }
  for (const [i, { body }] of changes.entries()) {
    const cut = body === null ? [null] : piecesOf(stamped(body, commit.at), pieceLength)
    if (length > 0 && length + (cut[0]?.length ?? 0) > BODIES) flush()
    texts.push(cut[0]!)
    pieces.push(cut.length - 1)
    length += cut[0]?.length ?? 0
    for (let n = 1; n < cut.length; n++)
      statements.push(
        sql`INSERT INTO chunk (vid, n, body) SELECT base + ${i + 1}, ${n}, ${cut[n]!} FROM done WHERE id = ${commit.id}`,
      )
  }
  flush()
  return statements
}

/** Cuts a text into pieces of about `length` UTF-16 units, never inside a character. */
function piecesOf(text: string, length: number): string[] {
  const pieces: string[] = []
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + length)
    const last = text.charCodeAt(end - 1)
    if (end < text.length && last >= 0xd800 && last < 0xdc00) end--
    pieces.push(at === 0 && end === text.length ? text : text.slice(at, end))
    at = end
  }
  return pieces
}
