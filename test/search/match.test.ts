import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { PREFIXES } from '../../src/search/ask.ts'
import { compareBySort, type Indexed, matches, type World } from '../../src/search/match.ts'
import { modifiersOf } from '../../src/search/modifiers.ts'
import { parseSearch } from '../../src/search/parse.ts'
import type { PlannedSearch } from '../../src/search/plan.ts'
import type { Storage } from '../../src/storage/port.ts'
import { caseContext, memoryStore, planOnStore } from './asked.ts'
import { type CaseFile, caseName, caseRegistry, loadCases, planCase, type SearchCase } from './cases.ts'

const files = loadCases()

test('no two resources of all files have a type and id in common', () => {
  const keys = files.flatMap(file => file.resources.map(({ type, id }) => `${type}/${id}`))
  expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([])
})

for (const file of files)
  describe(file.name, () => {
    let storage: Storage
    beforeAll(async () => {
      storage = await memoryStore(file.cases.some(one => one.looksUp) ? file.resources : [])
    })
    afterAll(() => storage.close())

    test.each(file.cases)('$type?$query $error: $why', async one => {
      if (one.error !== undefined) {
        await expectRefusal(one, storage)
        return
      }
      expect(one.expect, 'a case has expect or error').toBeDefined()
      const planned = await planOf(one, storage)
      const found = file.resources.filter(resource =>
        matches(planned.plan, resource, worldOf(file.resources)),
      )
      // Stable: the order of creation breaks ties.
      const names = found.sort(compareBySort(planned.plan)).map(resource => caseName(one, resource))
      if (one.sorted === false) expect(names.sort()).toEqual([...one.expect!].sort())
      else expect(names).toEqual(one.expect)
      expect(planned.ignored.map(issue => issue.expression)).toEqual(one.ignored ?? [])
    })
  })

const worldOf = (resources: readonly Indexed[]): World => ({
  get: (type, id) => resources.find(one => one.type === type && one.id === id),
  all: types => resources.filter(one => types.includes(one.type)),
})

const planOf = async (one: SearchCase, storage: Storage): Promise<PlannedSearch> =>
  one.looksUp ? planOnStore(caseContext(storage), one) : planCase(one)

async function expectRefusal(one: SearchCase, storage: Storage): Promise<void> {
  let thrown: unknown
  try {
    await planOf(one, storage)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(FhirError)
  const { code, status, issues } = thrown as FhirError
  expect({ code, status }).toEqual({ code: one.error, status: 400 })
  expect(issues[0]!.expression).toMatch(/^http/)
}

/** The cells of the matrix that a case fills: type of parameter, modifier, prefix. */
function cellsOf(one: SearchCase): string[] {
  const type = one.type === '' ? 'Resource' : one.type
  return parseSearch([...new URLSearchParams(one.query)]).flatMap(({ code, modifier, chain, values }) => {
    if (chain !== undefined) return []
    const param = caseRegistry.param(type, code)
    if (param === undefined) return []
    const kind = modifier !== undefined && /^[A-Z]/.test(modifier) ? '[type]' : (modifier ?? '')
    const ordered = ['date', 'number', 'quantity'].includes(param.type) && kind === ''
    return values.map(value => {
      const prefix = ordered ? (/^[a-z]{2}(?=[0-9-])/.exec(value)?.[0] ?? 'none') : ''
      return `${param.type}:${kind}${prefix === '' ? '' : ` ${prefix}`}`
    })
  })
}

function filled(wanted: (file: CaseFile, one: SearchCase) => boolean): Set<string> {
  return new Set(
    files.flatMap(file =>
      file.cases.filter(one => one.expect !== undefined && wanted(file, one)).flatMap(one => cellsOf(one)),
    ),
  )
}

describe('every cell of type, modifier and prefix has a case', () => {
  const cells: string[] = []
  for (const type of ['token', 'string', 'date', 'number', 'quantity', 'reference', 'uri'] as const) {
    const ordered = type === 'date' || type === 'number' || type === 'quantity'
    if (ordered) for (const prefix of ['none', ...PREFIXES]) cells.push(`${type}: ${prefix}`)
    else cells.push(`${type}:`)
    for (const modifier of modifiersOf(type)) cells.push(`${type}:${modifier}`)
  }
  const found = filled((_, one) => one.expect!.length > 0)
  const left = filled((file, one) => {
    const all = file.resources.filter(resource => one.type === '' || resource.type === one.type)
    return one.expect!.length < all.length
  })
  test.each(cells)('%s finds something', cell => expect([...found]).toContain(cell))
  test.each(cells)('%s leaves something out', cell => expect([...left]).toContain(cell))
})
