/** `$expand`. https://hl7.org/fhir/R4/valueset-operation-expand.html */
import { describe, expect, it } from 'vitest'
import { refusal } from '../interactions/context.ts'
import { call } from './context.ts'
import { BODY, bodySystem, contextWith, given, PARTS, valueSet } from './terminology.ts'

const ALL = ['body', 'limb', 'arm', 'hand', 'leg', 'old']
const all = valueSet({ include: [{ system: BODY }] })

async function expanded(parameters: Record<string, unknown>, ...resources: object[]) {
  const ctx = await contextWith(...(resources.length > 0 ? resources : [bodySystem, all]))
  const answer = await call(ctx, 'expand', { type: 'ValueSet' }, given({ url: PARTS, ...parameters }))
  return answer.expansion
}

// biome-ignore lint/suspicious/noExplicitAny: expansions are read field by field
const codes = (expansion: any): string[] => (expansion.contains ?? []).map((one: any) => one.code).sort()

async function refused(parameters: Record<string, unknown>, ...resources: object[]) {
  const ctx = await contextWith(...(resources.length > 0 ? resources : [bodySystem, all]))
  const promise = call(ctx, 'expand', { type: 'ValueSet' }, given(parameters))
  const { status, code, message } = await refusal(promise)
  return { status, code, message }
}

describe('an expansion', () => {
  it('says what it is: an identifier, the time, the total and the versions of code systems', async () => {
    const expansion = await expanded({})
    expect(expansion).toMatchObject({
      identifier: expect.stringMatching(/^urn:/),
      timestamp: '2026-11-21T05:11:00.000Z',
      total: 6,
      parameter: [{ name: 'version', valueUri: `${BODY}|2` }],
    })
    expect(codes(expansion)).toEqual([...ALL].sort())
  })

  it('is of a new identifier each time', async () => {
    const ctx = await contextWith(bodySystem, all)
    const one = await call(ctx, 'expand', { type: 'ValueSet' }, given({ url: PARTS }))
    const two = await call(ctx, 'expand', { type: 'ValueSet' }, given({ url: PARTS }))
    expect(one.expansion.identifier).not.toBe(two.expansion.identifier)
  })

  it('marks codes that are abstract or inactive', async () => {
    const { contains } = await expanded({})
    const marked = contains.filter((one: object) => 'abstract' in one || 'inactive' in one)
    expect(marked).toEqual([
      { system: BODY, abstract: true, code: 'limb', display: 'Limb' },
      { system: BODY, inactive: true, code: 'old', display: 'Old part' },
    ])
  })

  it('is of an instance, of a url and version, and of a resource that is sent', async () => {
    const ctx = await contextWith(bodySystem, all)
    const place = { type: 'ValueSet' }
    const total = async (where: object, parameters: Record<string, unknown>) =>
      (await call(ctx, 'expand', { ...place, ...where }, given(parameters))).expansion.total
    expect(await total({ id: 'parts' }, {})).toBe(6)
    expect(await total({}, { url: `${PARTS}|1` })).toBe(6)
    expect(await total({}, { url: PARTS, valueSetVersion: '1' })).toBe(6)
    const sent = valueSet({ include: [{ system: BODY, concept: [{ code: 'arm' }] }] })
    expect(await total({}, { valueSet: sent })).toBe(1)
  })

  it('has its definition only where that is wanted', async () => {
    const ctx = await contextWith(bodySystem, all)
    const place = { type: 'ValueSet' }
    expect((await call(ctx, 'expand', place, given({ url: PARTS }))).compose).toBeUndefined()
    const whole = await call(ctx, 'expand', place, given({ url: PARTS, includeDefinition: 'true' }))
    expect(whole.compose).toEqual({ include: [{ system: BODY }] })
  })
})

describe('filter', () => {
  it.each([
    ['arm', ['arm']],
    ['UPPER', ['arm']],
    ['u a', ['arm']],
    ['बाँह', ['arm']],
    ['part', ['old']],
    ['rm', []],
    ['ha', ['hand']],
  ])('%s finds %j: words begin words of the display, a designation or the code', async (filter, found) => {
    const expansion = await expanded({ filter })
    expect(codes(expansion)).toEqual(found)
    expect(expansion.total).toBe(found.length)
    expect(expansion.parameter[0]).toEqual({ name: 'filter', valueString: filter })
  })
})

describe('pages', () => {
  it('join to the whole in a stable order, and each has the total', async () => {
    const whole = await expanded({})
    const seen: string[] = []
    for (let offset = 0; offset < 8; offset += 2) {
      const page = await expanded({ offset: String(offset), count: '2' })
      expect(page).toMatchObject({ offset, total: 6 })
      seen.push(...(page.contains ?? []).map((one: { code: string }) => one.code))
    }
    expect(seen).toEqual(whole.contains.map((one: { code: string }) => one.code))
  })
  it('of no codes tell how many there are', async () => {
    const expansion = await expanded({ count: '0' })
    expect(expansion).toMatchObject({ total: 6 })
    expect(expansion.contains).toBeUndefined()
  })
  it('take no negative numbers', async () => {
    expect(await refused({ url: PARTS, count: '-1' })).toMatchObject({ status: 400, code: 'invalid' })
  })
  it('may be huge', async () => {
    expect(codes(await expanded({ offset: '999999999', count: '999999999' }))).toEqual([])
    expect(codes(await expanded({ count: '999999999' }))).toHaveLength(6)
  })
})

describe('a nested expansion', () => {
  it('stands as the hierarchy does', async () => {
    const { contains, total } = await expanded({ excludeNested: 'false' })
    const shape = (list: { code: string; contains?: [] }[] = []): unknown[] =>
      list.map(one => (one.contains ? [one.code, ...shape(one.contains)] : one.code))
    expect(shape(contains)).toEqual([['body', ['limb', ['arm', 'hand'], 'leg']], 'old'])
    expect(total).toBe(6)
  })
  it('is not paged, and count=0 asks how large it is', async () => {
    expect((await expanded({ excludeNested: 'false', count: '1' })).contains).toHaveLength(2)
    expect((await expanded({ excludeNested: 'false', count: '0' })).total).toBe(6)
  })
  it('leaves out levels that are not in the value set', async () => {
    const some = valueSet({ include: [{ system: BODY, concept: [{ code: 'hand' }, { code: 'limb' }] }] })
    const { contains } = await expanded({ excludeNested: 'false' }, bodySystem, some)
    expect(codes({ contains })).toEqual(['hand', 'limb'])
  })
  it('of a circle has every code once', async () => {
    const circle = {
      ...bodySystem,
      concept: ['a', 'b', 'c'].map((code, i) => ({
        code,
        property: [{ code: 'parent', valueCode: ['b', 'c', 'a'][i] }],
      })),
    }
    const { contains, total } = await expanded({ excludeNested: 'false' }, circle, all)
    const found: string[] = []
    const open = [...contains]
    for (const one of open) {
      found.push(one.code)
      open.push(...(one.contains ?? []))
    }
    expect(found.sort()).toEqual(['a', 'b', 'c'])
    expect(total).toBe(3)
  })
  it('that is too deep is refused', async () => {
    const deep = {
      ...bodySystem,
      concept: Array.from({ length: 200 }, (_, i) => ({
        code: `c${i}`,
        property: [{ code: 'parent', valueCode: `c${i + 1}` }],
      })),
    }
    expect(await refused({ url: PARTS, excludeNested: 'false' }, deep, all)).toMatchObject({
      status: 422,
      code: 'too-costly',
      message: expect.stringContaining('levels'),
    })
  })
})

describe('what is left out', () => {
  it('inactive codes with activeOnly, where the value set lists them too', async () => {
    expect(codes(await expanded({ activeOnly: 'true' }))).toEqual(['arm', 'body', 'hand', 'leg', 'limb'])
    const listed = valueSet({ include: [{ system: BODY, concept: [{ code: 'old' }, { code: 'arm' }] }] })
    expect(codes(await expanded({}, bodySystem, listed))).toEqual(['arm', 'old'])
    expect(codes(await expanded({ activeOnly: 'true' }, bodySystem, listed))).toEqual(['arm'])
  })
  it('abstract codes with excludeNotForUI', async () => {
    expect(codes(await expanded({ excludeNotForUI: 'true' }))).toEqual(['arm', 'body', 'hand', 'leg', 'old'])
  })
  it('systems with exclude-system', async () => {
    const two = valueSet({
      include: [{ system: BODY }, { system: 'urn:other', concept: [{ code: 'x' }] }],
    })
    expect(codes(await expanded({ 'exclude-system': BODY }, bodySystem, two))).toEqual(['x'])
  })
})

describe('designations', () => {
  const arm = valueSet({ include: [{ system: BODY, concept: [{ code: 'arm' }] }] })
  const designations = async (parameters: Record<string, unknown>) =>
    ((await expanded(parameters, bodySystem, arm)).contains[0].designation ?? []).map(
      (one: { value: string }) => one.value,
    )
  it('come when they are asked for', async () => {
    expect(await designations({})).toEqual([])
    expect(await designations({ includeDesignations: 'true' })).toEqual(['बाँह', 'கை', 'arm (s)'])
  })
  it('come of the languages and uses that are named', async () => {
    expect(await designations({ designation: 'urn:ietf:bcp:47|hi' })).toEqual(['बाँह'])
    expect(await designations({ designation: ['ta', 'urn:use|short'] })).toEqual(['கை', 'arm (s)'])
  })
  it('are the display in the language that is asked for', async () => {
    const display = async (displayLanguage: string) =>
      (await expanded({ displayLanguage }, bodySystem, arm)).contains[0].display
    expect(await display('hi')).toBe('बाँह')
    expect(await display('ta')).toBe('கை')
    expect(await display('fr')).toBe('Upper arm')
  })
})

describe('the versions of code systems', () => {
  const older = { ...bodySystem, id: 'older', version: '1', concept: [{ code: 'x', display: 'X' }] }
  const pinned = valueSet({ include: [{ system: BODY, version: '1' }] })
  it('are those of the value set, then of system-version, then the newest', async () => {
    expect(codes(await expanded({}, bodySystem, older, pinned))).toEqual(['x'])
    expect(codes(await expanded({ 'system-version': `${BODY}|2` }, bodySystem, older, pinned))).toEqual(['x'])
    expect(codes(await expanded({ 'system-version': `${BODY}|1` }, bodySystem, older, all))).toEqual(['x'])
    expect(codes(await expanded({}, bodySystem, older, all))).toHaveLength(6)
  })
  it('are forced', async () => {
    const forced = { 'force-system-version': `${BODY}|2` }
    expect(codes(await expanded(forced, bodySystem, older, pinned))).toHaveLength(6)
  })
  it('are checked', async () => {
    const checked = { url: PARTS, 'check-system-version': `${BODY}|2` }
    expect(await refused(checked, bodySystem, older, pinned)).toMatchObject({
      status: 422,
      code: 'business-rule',
    })
    const passed = await expanded({ 'check-system-version': `${BODY}|1` }, bodySystem, older, pinned)
    expect(codes(passed)).toEqual(['x'])
  })
})

describe('the filters of a compose', () => {
  it.each([
    ['concept', 'is-a', 'limb', ['arm', 'hand', 'leg', 'limb']],
    ['concept', 'descendent-of', 'limb', ['arm', 'hand', 'leg']],
    ['concept', 'generalizes', 'arm', ['arm', 'body', 'limb']],
    ['concept', 'is-not-a', 'limb', ['body', 'old']],
    ['side', '=', 'both', ['arm', 'leg']],
    ['side', 'exists', 'false', ['body', 'hand', 'limb', 'old']],
    ['code', 'regex', 'l[a-z]*', ['leg', 'limb']],
    ['code', 'in', 'arm,leg', ['arm', 'leg']],
    ['code', 'not-in', 'arm,leg', ['body', 'hand', 'limb', 'old']],
  ])('%s %s %s selects %j', async (property, op, value, found) => {
    const filtered = valueSet({ include: [{ system: BODY, filter: [{ property, op, value }] }] })
    expect(codes(await expanded({}, bodySystem, filtered))).toEqual(found)
  })
})

describe('what cannot be expanded', () => {
  it('is a value set that is not here: 404', async () => {
    expect(await refused({ url: 'urn:nobody' })).toMatchObject({ status: 404, code: 'not-found' })
  })
  it('has a code system that is not here: 404 with its name', async () => {
    const foreign = valueSet({ include: [{ system: 'urn:not-held' }] })
    expect(await refused({ url: PARTS }, foreign)).toMatchObject({
      status: 404,
      code: 'not-found',
      message: expect.stringContaining('urn:not-held'),
    })
  })
  it('is named not at all, or twice: 400', async () => {
    expect(await refused({})).toMatchObject({ status: 400, code: 'required' })
    expect(await refused({ url: PARTS, valueSet: all })).toMatchObject({ status: 400, code: 'invalid' })
  })
  it('is asked as of another date, or by a context: 400', async () => {
    expect(await refused({ url: PARTS, date: '2020-01-01' })).toMatchObject({
      status: 400,
      code: 'not-supported',
    })
    expect(await refused({ context: 'urn:x#Patient.gender' })).toMatchObject({
      status: 400,
      code: 'not-supported',
    })
  })
  it('includes itself: 422', async () => {
    expect(await refused({ url: PARTS }, valueSet({ include: [{ valueSet: [PARTS] }] }))).toMatchObject({
      status: 422,
      code: 'not-supported',
    })
  })
  it('has a regular expression that would run for ever: 422, at once', async () => {
    const filter = [{ property: 'code', op: 'regex', value: '(a+)+$' }]
    const hostile = valueSet({ include: [{ system: BODY, filter }] })
    const before = performance.now()
    expect(await refused({ url: PARTS }, bodySystem, hostile)).toMatchObject({
      status: 422,
      code: 'not-supported',
    })
    expect(performance.now() - before).toBeLessThan(1000)
  })
  it('has more codes than are sent at once: 422, but a page of it is sent', async () => {
    const many = {
      ...bodySystem,
      concept: Array.from({ length: 10_001 }, (_, i) => ({ code: `c${i}`, display: `Number ${i}` })),
    }
    expect(await refused({ url: PARTS }, many, all)).toMatchObject({ status: 422, code: 'too-costly' })
    const page = await expanded({ count: '5', offset: '9999' }, many, all)
    expect(page.total).toBe(10_001)
    expect(codes(page)).toEqual(['c10000', 'c9999'])
    expect(codes(await expanded({ limitedExpansion: 'true' }, many, all))).toHaveLength(1000)
  })
  it('is a SNOMED CT expression: 422 with what to do instead', async () => {
    expect(await refused({ url: 'http://snomed.info/sct?fhir_vs=ecl/%3C%20404684003' })).toMatchObject({
      status: 422,
      code: 'not-supported',
      message: expect.stringContaining('Expression Constraint Language'),
    })
  })
})

describe('implicit value sets', () => {
  it('are all codes of a code system', async () => {
    const ctx = await contextWith(bodySystem)
    const answer = await call(ctx, 'expand', { type: 'ValueSet' }, given({ url: `${BODY}?fhir_vs` }))
    expect(codes(answer.expansion)).toEqual([...ALL].sort())
  })
})

describe('systems that are not lists of concepts', () => {
  const total = async (url: string, parameters: Record<string, unknown> = {}) => {
    const ctx = await contextWith()
    return (await call(ctx, 'expand', { type: 'ValueSet' }, given({ url, ...parameters }))).expansion
  }
  it('currencies and countries are listed as the runtime knows them', async () => {
    const rupee = await total('http://hl7.org/fhir/ValueSet/currencies', { filter: 'indian rupee' })
    expect(rupee.contains).toMatchObject([{ system: 'urn:iso:std:iso:4217', code: 'INR' }])
    const india = await total('http://hl7.org/fhir/ValueSet/iso3166-1-2', { filter: 'india in' })
    // "India (IN)", and "British Indian Ocean Territory (IO)" has the words as well.
    expect(india.contains).toContainEqual({ system: 'urn:iso:std:iso:3166', code: 'IN', display: 'India' })
  })
  it('units, media types and three-letter countries cannot be listed: 422', async () => {
    for (const id of ['ucum-units', 'mimetypes', 'iso3166-1-3'])
      expect(await refused({ url: `http://hl7.org/fhir/ValueSet/${id}` })).toMatchObject({
        status: 422,
        code: 'not-supported',
      })
  })
  it('of which a part is held are expanded to that part, and the expansion says so', async () => {
    const part = { ...bodySystem, content: 'fragment' }
    const expansion = await expanded({}, part, all)
    expect(expansion.total).toBe(6)
    expect(expansion.extension).toEqual([
      { url: 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed', valueBoolean: true },
    ])
    expect((await expanded({})).extension).toBeUndefined()
  })
})
