/** SQL as a value: text with `?` placeholders and the parameters in their order. Values never stand in the text. */

export type Param = string | number | null

export interface Sql {
  text: string
  params: Param[]
}

/** Returns the fragment of a template: interpolated fragments are joined in, everything else becomes a parameter. */
export function sql(strings: TemplateStringsArray, ...parts: (Sql | Param)[]): Sql {
  let text = strings[0]!
  const params: Param[] = []
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (typeof part === 'object' && part !== null) {
      text += part.text
      for (const param of part.params) params.push(param)
    } else {
      text += '?'
      params.push(part)
    }
    text += strings[i + 1]!
  }
  return { text, params }
}

/** Returns text of our own as a fragment: names of tables and columns, never a value. */
export const raw = (text: string): Sql => ({ text, params: [] })

export const TRUE = raw('1')
/** Not a plain 0: a condition known to fail lets SQLite drop the index that INDEXED BY insists on. */
export const FALSE = raw('(SELECT 0)')

export function join(parts: readonly Sql[], separator: string): Sql {
  return {
    text: parts.map(part => part.text).join(separator),
    params: parts.flatMap(part => part.params),
  }
}

/** Returns the conjunction; of none, one that always holds. */
export function all(parts: readonly Sql[]): Sql {
  const needed = parts.filter(part => part.text !== TRUE.text)
  return needed.length === 0 ? TRUE : balanced(needed, ' AND ')
}

/** Returns the conjunction, judged in this order: SQLite itself would look into alternatives before anything else. */
export function inTurn(parts: readonly Sql[]): Sql {
  const needed = parts.filter(part => part.text !== TRUE.text)
  if (needed.length < 2) return all(needed)
  const fails = needed.slice(0, -1).map(one => sql`WHEN NOT (${one}) THEN 0`)
  return sql`CASE ${join(fails, ' ')} ELSE ${needed.at(-1)!} END`
}

/** Returns the disjunction; of none, one that never holds. */
export function any(parts: readonly Sql[]): Sql {
  return parts.length === 0 ? FALSE : balanced(parts, ' OR ')
}

/** D1 allows expressions 100 deep, and a chain of n terms is n deep; halves are log n deep. */
function balanced(parts: readonly Sql[], operator: string): Sql {
  if (parts.length <= 8) return parts.length === 1 ? parts[0]! : sql`(${join(parts, operator)})`
  const half = parts.length >> 1
  const left = balanced(parts.slice(0, half), operator)
  const right = balanced(parts.slice(half), operator)
  return sql`(${left}${raw(operator)}${right})`
}

/** D1 allows five terms in a compound SELECT, so longer unions are nested. */
export function unionAll(selects: readonly Sql[]): Sql {
  if (selects.length <= 4) return join(selects, ' UNION ALL ')
  const groups: Sql[] = []
  const size = Math.ceil(selects.length / 4)
  for (let i = 0; i < selects.length; i += size)
    groups.push(sql`SELECT rid FROM (${unionAll(selects.slice(i, i + size))})`)
  return join(groups, ' UNION ALL ')
}
