// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are pieces of source
/**
 * Faults to be planted one at a time into what plans, compiles and judges searches: each changes what some search finds, and the tests
 * have to notice. `from` stands in the file exactly once; `npm run mutants` plants them, `mutants.test.ts` sees that they still can be.
 */

export interface Mutant {
  file: string
  from: string
  to: string
}

/** Faults that the same tests have to notice, the quickest tests first. */
export interface Group {
  name: string
  tests: readonly (readonly string[])[]
  mutants: readonly Mutant[]
}

const inFile = (file: string, changes: readonly (readonly [from: string, to: string])[]): Mutant[] =>
  changes.map(([from, to]) => ({ file, from, to }))

const SEARCH: Group = {
  name: 'search',
  tests: [
    ['test/search/generated.test.ts'],
    ['test/search/agree-sqlite.test.ts'],
    ['test/search/match.test.ts'],
  ],
  mutants: [
    ...inFile('src/search/match.ts', [
      [
        '(node.system === undefined || row.system === node.system)',
        '(!node.system || row.system === node.system)',
      ],
      ["row.kind === 'date' && node.bounds.every(", "row.kind === 'date' && node.bounds.some("],
      ["value.startsWith(row.endsWith('/') ? row : `${row}/`)", 'value.startsWith(row)'],
      [
        'left === right ? 0 : left === undefined ? 1 : -1',
        'left === right ? 0 : left === undefined ? -1 : 1',
      ],
      ['row.type === resource.type &&', 'true &&'],
    ]),
    ...inFile('src/search/params/date.ts', [
      ["[[{ end: 'lo', op: '>=', value: hi }]]", "[[{ end: 'lo', op: '>', value: hi }]]"],
      ["[[{ end: 'hi', op: '<=', value: lo }]]", "[[{ end: 'lo', op: '<=', value: lo }]]"],
    ]),
    ...inFile('src/search/params/quantity.ts', [
      ["{ end: 'hi', op: '<', value: hi },", "{ end: 'hi', op: '<=', value: hi },"],
      ["{ end: 'hi', op: '>=', value: hi }", "{ end: 'hi', op: '>', value: hi }"],
    ]),
    ...inFile('src/search/values.ts', [
      ["value === 'true' ? { kind: 'not'", "value === 'false' ? { kind: 'not'"],
    ]),
    ...inFile('src/search/chain.ts', [['return [links, [modifier]]', 'return [links, targets]']]),
  ],
}

const SQLITE: Group = {
  name: 'sqlite',
  tests: [
    ['test/search/agree-sqlite.test.ts'],
    ['test/search/sqlite.test.ts', 'test/storage/sqlite-plans.test.ts'],
  ],
  mutants: [
    ...inFile('src/storage/sqlite/compile.ts', [
      ["first.unique ? raw('') : raw('DISTINCT ')", "raw('')"],
      ['FROM res l WHERE l.live = 1 AND ${where}', 'FROM res l WHERE ${where}'],
      ['WHERE live = 1 AND key IN', 'WHERE key IN'],
      ['implies(first.param, types) ? TRUE', 'first !== undefined ? TRUE'],
      ['sql`NOT (${holds(node.node, rid, terms)})`', 'sql`(${holds(node.node, rid, terms)})`'],
    ]),
    ...inFile('src/storage/sqlite/leaf.ts', [
      ['if (node.system !== undefined) where.push(', 'if (node.system) where.push('],
      ['if (node.type !== undefined) where.push(', "if (node.type === '') where.push("],
      ['sv.folded = ${fold(value)} AND sv.exact = ${value}', 'sv.folded = ${fold(value)}'],
      ['instr(sv.folded, ${value}) > 0', 'instr(sv.folded, ${value}) > 1'],
      ['AND ${raw(column)} < ${end}', 'AND ${raw(column)} <= ${end}'],
      ["begins('value', `${value}/`)", "begins('value', value)"],
      ['paths.add(uri.slice(0, at))\n', '\n'],
      [' UNION ALL ${NEW_TEXTS}) x', ') x'],
    ]),
    ...inFile('src/storage/sqlite/order.ts', [
      ["raw(descending !== backward ? '<' : '>')", "raw(descending !== backward ? '>' : '<')"],
      ['nullable && !backward', 'nullable && backward'],
      ["parts.push(raw(`${rid}${backward ? ' DESC' : ''}`))", 'parts.push(raw(rid))'],
      ["`${rid} ${backward ? '<' : '>'}`", "`${rid} ${backward ? '<=' : '>='}`"],
      ["IS NULL${raw(backward ? ' DESC' : '')}`", 'IS NULL`'],
      ["raw(descending ? 'max' : 'min')", "raw(descending ? 'min' : 'max')"],
    ]),
    ...inFile('src/storage/sqlite/walk.ts', [
      ['f.rid > d.after', 'f.rid >= d.after'],
      ["raw(descending ? '>' : '<')} (f.code, f.sys)", "raw(descending ? '<' : '>')} (f.code, f.sys)"],
      ["!== backward ? '<=' : '>='", "!== backward ? '<' : '>'"],
      ['all([start, none])', 'all([start])'],
      ['[lacking] : [filled(place), lacking]', '[lacking] : [filled(place)]'],
    ]),
    ...inFile('src/storage/sqlite/search.ts', [
      [
        'second !== undefined && wanted(options, rows) > 0',
        'second !== undefined && wanted(options, rows) > 1',
      ],
    ]),
    ...inFile('src/storage/sqlite/chain.ts', [
      ['AND ${raw(res)}.live = 1 AND ${inner(', 'AND ${inner('],
      ['AND ref.id = ${id} AND ref.type = c.type`', 'AND ref.id = ${id}`'],
      [' WHERE c.live = 1`', '`'],
      ['if (!node.canonical) return', 'if (node.canonical || !node.canonical) return'],
    ]),
    ...inFile('src/storage/sqlite/near.ts', [['any(longitudes.map(', 'any(longitudes.slice(0, 1).map(']]),
    ...inFile('src/storage/sqlite/words.ts', [
      ['prefix ? ` ${word}` : ` ${word} `', 'prefix ? ` ${word}` : ` ${word}`'],
    ]),
    ...inFile('src/storage/sqlite/value-sets.ts', [
      [
        'AND (code, sys) IN (${list})',
        'AND code IN (SELECT l.c FROM (SELECT a.value->>0 AS c FROM json_each(${JSON.stringify(pairs)}) a) l)',
      ],
    ]),
    ...inFile('src/storage/sqlite/windows.ts', [
      ['other.to !== undefined ? most(to, other.to)', 'other.to !== undefined ? least(to, other.to)'],
      ["kind === 'date' ? isMarked(param, SEVERAL)", "kind === 'date' ? raw('0')"],
    ]),
  ],
}

const MONGODB: Group = {
  name: 'mongodb',
  tests: [['test/search/agree-mongodb.test.ts'], ['test/search/mongodb.test.ts']],
  mutants: [
    ...inFile('src/storage/mongodb/compile.ts', [
      ["types.length === 0 ? { $gte: 'A' }", "types.length === 0 ? { $gte: '' }"],
      ['$nor: [compile(', '$or: [compile('],
      ["if (closed('lo')) return { ...term('lo'), ...pair }", "if (closed('lo')) return term('lo')"],
      ["const open = bound.op === '<' || bound.op === '>'", "const open = bound.op === '>'"],
      ["match === 'below' ? '/' : '|'", "match === 'below' ? '' : '|'"],
      ['.add(value.slice(0, at + 1))', ''],
    ]),
    ...inFile('src/storage/mongodb/search.ts', [
      [
        "(key.direction === 1) === backwards ? '$lt' : '$gt'",
        "(key.direction === 1) === backwards ? '$gt' : '$lt'",
      ],
      ['{ [path]: { $lt: value } }, { [path]: null }]', '{ [path]: { $lt: value } }]'],
      ["return backwards ? [{ [path]: { $gte: '' } }] : []", 'return []'],
      ['same.push({ [key.path]: value })', 'same.push({})'],
    ]),
    ...inFile('src/storage/mongodb/links.ts', [
      ['if (node.canonical) projection.r', 'if (!node.canonical) projection.r'],
    ]),
    ...inFile('src/storage/mongodb/terms.ts', [
      ['${escaped(held(system))}\\u0001`,', '${escaped(held(system))}`,'],
      ['return `${text}\\u0200`', 'return text'],
    ]),
    ...inFile('src/storage/mongodb/places.ts', [
      ['$lte: placeTerm(param, north)', '$lte: placeTerm(param, latitude)'],
    ]),
    ...inFile('src/storage/mongodb/texts.ts', [
      ["{ $eq: [{ $indexOfBytes: ['$$one', { $literal: prefix }] }, 0] },", ''],
    ]),
  ],
}

export const GROUPS: readonly Group[] = [SEARCH, SQLITE, MONGODB]
