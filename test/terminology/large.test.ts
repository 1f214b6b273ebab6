/** Releases of large systems, in tiny: SNOMED CT's shape, four levels and a reference set. https://hl7.org/fhir/R4/snomedct.html */
import { beforeAll, describe, expect, it } from 'vitest'
import { lookUp } from '../../src/interactions/needs.ts'
import type { ConceptRow } from '../../src/storage/concepts.ts'
import { answerCodes } from '../../src/terminology/validate-code.ts'
import { refusal, type TestContext, testContext } from '../interactions/context.ts'
import { call, storeAll } from '../operations/context.ts'
import { given, plain } from '../operations/terminology.ts'

const SCT = 'http://snomed.info/sct'
const VERSION = `${SCT}/900000000000207008/version/20261001`
const VS = 'https://thanal.example.org/vs'

/** finding > fever > dengue, finding > cough, and drug; old is inactive. */
const PARENTS: Record<string, string[]> = {
  root: [],
  finding: ['root'],
  fever: ['finding'],
  dengue: ['fever'],
  cough: ['finding'],
  drug: ['root'],
  old: ['finding'],
}

const ancestors = (code: string): string[] => [
  ...new Set(PARENTS[code]!.flatMap(parent => [parent, ...ancestors(parent)])),
]

const row = (code: string): ConceptRow => ({
  code,
  display: `${code[0]!.toUpperCase()}${code.slice(1)} (disorder)`,
  active: code !== 'old',
  parents: PARENTS[code]!,
  ancestors: ancestors(code),
  properties: code === 'dengue' ? { cause: ['virus'], site: ['finding'], severity: ['3'] } : {},
  designations:
    code === 'fever'
      ? [
          { language: 'en', value: 'Raised temperature' },
          { language: 'hi', value: 'बुखार' },
        ]
      : [],
  sets: code === 'fever' || code === 'drug' ? ['refset1'] : [],
})

let ctx: TestContext
beforeAll(async () => {
  ctx = await testContext()
  const { concepts } = ctx.storage
  const release = await concepts.begin({ system: SCT, version: VERSION, title: 'SNOMED CT, tiny' })
  await concepts.write(release.id, Object.keys(PARENTS).map(row))
  await concepts.finish(release.id, { propertyTypes: { site: 'code', severity: 'integer' } })
  const set = (id: string, compose: object) => ({
    resourceType: 'ValueSet',
    id,
    url: `${VS}/${id}`,
    status: 'active',
    compose,
  })
  const filter = (property: string, op: string, value: string) => [{ property, op, value }]
  await storeAll(ctx, [
    set('all', { include: [{ system: SCT }] }),
    set('findings', { include: [{ system: SCT, filter: filter('concept', 'is-a', 'finding') }] }),
    set('below', { include: [{ system: SCT, filter: filter('concept', 'descendent-of', 'finding') }] }),
    set('viral', { include: [{ system: SCT, filter: filter('cause', '=', 'virus') }] }),
    set('children', { include: [{ system: SCT, filter: filter('parent', '=', 'finding') }] }),
    set('active', {
      inactive: false,
      include: [{ system: SCT, filter: filter('concept', 'is-a', 'finding') }],
    }),
    set('rest', {
      include: [{ system: SCT, filter: filter('concept', 'is-a', 'finding') }],
      exclude: [{ system: SCT, filter: filter('concept', 'is-a', 'fever') }],
    }),
    set('crossed', {
      include: [{ system: SCT, valueSet: [`${VS}/listed`] }],
    }),
    set('listed', { include: [{ system: SCT, concept: [{ code: 'fever' }, { code: 'wing' }] }] }),
    set('odd', { include: [{ system: SCT, filter: filter('concept', 'regex', 'f.*') }] }),
  ])
})

const expand = async (parameters: Record<string, unknown>) =>
  (await call(ctx, 'expand', { type: 'ValueSet' }, given(parameters))).expansion
// biome-ignore lint/suspicious/noExplicitAny: expansions are read field by field
const codes = (expansion: any): string[] => (expansion.contains ?? []).map((one: any) => one.code).sort()

describe('$lookup', () => {
  it('says what the release says', async () => {
    const found = plain(
      await call(ctx, 'lookup', { type: 'CodeSystem' }, given({ system: SCT, code: 'fever' })),
    )
    expect(found).toMatchObject({
      name: 'SNOMED CT, tiny',
      version: VERSION,
      display: 'Fever (disorder)',
      designation: [
        { language: 'en', value: 'Raised temperature' },
        { language: 'hi', value: 'बुखार' },
      ],
      property: [
        { code: 'parent', value: 'finding', description: 'Finding (disorder)' },
        { code: 'child', value: 'dengue', description: 'Dengue (disorder)' },
      ],
    })
  })
  it('says the values of properties by their types, and what codes among them mean', async () => {
    const found = plain(
      await call(
        ctx,
        'lookup',
        { type: 'CodeSystem' },
        given({ system: SCT, code: 'dengue', property: ['cause', 'site', 'severity'] }),
      ),
    )
    expect(found.property).toEqual([
      { code: 'cause', value: 'virus' },
      { code: 'site', value: 'finding', description: 'Finding (disorder)' },
      { code: 'severity', value: 3 },
    ])
  })
  it('of a code that it has not is 404', async () => {
    const missing = call(ctx, 'lookup', { type: 'CodeSystem' }, given({ system: SCT, code: 'wing' }))
    expect(await refusal(missing)).toMatchObject({ status: 404, message: expect.stringContaining('no code') })
  })
})

describe('$subsumes', () => {
  it.each([
    ['finding', 'dengue', 'subsumes'],
    ['dengue', 'finding', 'subsumed-by'],
    ['fever', 'fever', 'equivalent'],
    ['fever', 'cough', 'not-subsumed'],
  ])('%s and %s: %s', async (codeA, codeB, outcome) => {
    const answer = await call(ctx, 'subsumes', { type: 'CodeSystem' }, given({ system: SCT, codeA, codeB }))
    expect(plain(answer)).toEqual({ outcome })
  })
})

describe('value sets', () => {
  const SETS: [string, string[]][] = [
    ['all', ['cough', 'dengue', 'drug', 'fever', 'finding', 'old', 'root']],
    ['findings', ['cough', 'dengue', 'fever', 'finding', 'old']],
    ['below', ['cough', 'dengue', 'fever', 'old']],
    ['viral', ['dengue']],
    ['children', ['cough', 'fever', 'old']],
    ['active', ['cough', 'dengue', 'fever', 'finding']],
    ['rest', ['cough', 'finding', 'old']],
    ['crossed', ['fever']],
  ]
  it.each(SETS)('%s is expanded to %j', async (id, expected) => {
    const expansion = await expand({ url: `${VS}/${id}` })
    expect(codes(expansion)).toEqual(expected)
    expect(expansion.total).toBe(expected.length)
  })

  it.each(SETS)('%s is answered code by code as it is expanded', async (id, expected) => {
    const questions = Object.keys(PARENTS).map(code => ({
      valueSet: `${VS}/${id}`,
      codings: [{ system: SCT, code }],
    }))
    const answers = await answerCodes(ctx, questions, ctx.clock() + 5000)
    const inside = Object.keys(PARENTS).filter((_, i) => answers[i]?.result === 'in')
    expect(inside.sort()).toEqual(expected)
    expect(answers.every(({ result }) => result !== 'unknown')).toBe(true)
  })

  it('are paged in a stable order', async () => {
    const whole = (await expand({ url: `${VS}/all` })).contains.map((one: { code: string }) => one.code)
    const seen: string[] = []
    for (const offset of [0, 3, 6, 9]) {
      const page = await expand({ url: `${VS}/all`, offset: String(offset), count: '3' })
      expect(page).toMatchObject({ total: 7, offset })
      seen.push(...(page.contains ?? []).map((one: { code: string }) => one.code))
    }
    expect(seen).toEqual(whole)
    expect(await expand({ url: `${VS}/all`, count: '0' })).toMatchObject({ total: 7 })
  })

  it('has none of a system that is left out', async () => {
    for (const system of [SCT, `${SCT}|${VERSION}`])
      expect(await expand({ url: `${VS}/all`, 'exclude-system': system })).toMatchObject({ total: 0 })
  })

  it('that is listed is left out where only active codes are wanted', async () => {
    const compose = {
      inactive: false,
      include: [{ system: SCT, concept: [{ code: 'old' }, { code: 'fever' }] }],
    }
    const valueSet = { resourceType: 'ValueSet', status: 'active', compose }
    expect(codes(await expand({ valueSet }))).toEqual(['fever'])
  })

  it('are searched by words of displays and designations', async () => {
    expect(codes(await expand({ url: `${VS}/findings`, filter: 'raised temp' }))).toEqual(['fever'])
    expect(codes(await expand({ url: `${VS}/rest`, filter: 'cou' }))).toEqual(['cough'])
    expect(codes(await expand({ url: `${VS}/findings`, filter: 'drug' }))).toEqual([])
  })

  it('leave out inactive codes, and show names in a language', async () => {
    expect(codes(await expand({ url: `${VS}/findings`, activeOnly: 'true' }))).not.toContain('old')
    const hindi = await expand({ url: `${VS}/findings`, displayLanguage: 'hi' })
    const fever = hindi.contains.find((one: { code: string }) => one.code === 'fever')
    expect(fever.display).toBe('बुखार')
  })

  it('with a filter that is not understood are refused, and unknown', async () => {
    expect(await refusal(expand({ url: `${VS}/odd` }))).toMatchObject({ status: 422, code: 'not-supported' })
    const [answer] = await answerCodes(
      ctx,
      [{ valueSet: `${VS}/odd`, codings: [{ system: SCT, code: 'fever' }] }],
      ctx.clock() + 5000,
    )
    expect(answer?.result).toBe('unknown')
  })

  it('are implicit', async () => {
    expect(codes(await expand({ url: `${SCT}?fhir_vs=isa/fever` }))).toEqual(['dengue', 'fever'])
    expect(codes(await expand({ url: `${SCT}?fhir_vs=refset/refset1` }))).toEqual(['drug', 'fever'])
    expect(codes(await expand({ url: `${SCT}?fhir_vs` }))).toHaveLength(7)
    expect(codes(await expand({ url: `${VERSION}?fhir_vs=isa/fever` }))).toEqual(['dengue', 'fever'])
    expect(await refusal(expand({ url: `${SCT}/1/version/1?fhir_vs` }))).toMatchObject({ status: 404 })
  })

  it('of R4 that filter SNOMED CT are no longer unknown', async () => {
    const [answer] = await answerCodes(
      ctx,
      [{ valueSet: 'http://hl7.org/fhir/ValueSet/body-site', codings: [{ system: SCT, code: 'fever' }] }],
      ctx.clock() + 5000,
    )
    expect(answer?.result).toBe('out')
  })
})

describe('searches', () => {
  it('ask with :in, :below and :above', async () => {
    const found = async (need: Parameters<typeof lookUp>[1]) => {
      const known = await lookUp(ctx, need)
      return 'codes' in known ? known.codes.map(({ code }) => code).sort() : known
    }
    expect(await found({ is: 'value-set', url: `${VS}/viral` })).toEqual(['dengue'])
    expect(await found({ is: 'codes', system: SCT, code: 'fever', way: 'below' })).toEqual([
      'dengue',
      'fever',
    ])
    expect(await found({ is: 'codes', system: SCT, code: 'fever', way: 'above' })).toEqual([
      'fever',
      'finding',
      'root',
    ])
  })
})

describe('LOINC', () => {
  it('has answer lists and what is below parts as implicit value sets', async () => {
    const own = await testContext()
    const { concepts } = own.storage
    const release = await concepts.begin({
      system: 'http://loinc.org',
      version: '2.78',
      title: 'LOINC, tiny',
    })
    const concept = (code: string, more: Partial<ConceptRow> = {}): ConceptRow => ({
      ...row('root'),
      code,
      display: code,
      ...more,
    })
    await concepts.write(release.id, [
      concept('LP1-1'),
      concept('8310-5', { parents: ['LP1-1'], ancestors: ['LP1-1'] }),
      concept('LA1-1', { sets: ['LL1-9'] }),
    ])
    await concepts.finish(release.id)
    const total = async (url: string) =>
      codes((await call(own, 'expand', { type: 'ValueSet' }, given({ url }))).expansion)
    expect(await total('http://loinc.org/vs/LL1-9')).toEqual(['LA1-1'])
    expect(await total('http://loinc.org/vs/LP1-1')).toEqual(['8310-5', 'LP1-1'])
    expect(await total('http://loinc.org/vs')).toHaveLength(3)
  })
})

describe('a new release', () => {
  it('is seen by bindings after a second', async () => {
    const own = await testContext()
    const { concepts } = own.storage
    const load = async (version: string, list: string[]) => {
      const release = await concepts.begin({ system: 'http://loinc.org', version, title: 'LOINC, tiny' })
      await concepts.write(
        release.id,
        list.map(code => ({ ...row('root'), code, display: code })),
      )
      await concepts.finish(release.id)
    }
    const ask = async (code: string) => {
      const question = { valueSet: 'http://loinc.org/vs', codings: [{ system: 'http://loinc.org', code }] }
      return (await answerCodes(own, [question], own.clock() + 5000))[0]?.result
    }
    expect(await ask('1-8')).toBe('unknown')
    await load('2.77', ['1-8'])
    own.pass(1000)
    expect([await ask('1-8'), await ask('2-6')]).toEqual(['in', 'out'])
    await load('2.78', ['1-8', '2-6'])
    own.pass(1000)
    expect([await ask('1-8'), await ask('2-6')]).toEqual(['in', 'in'])
  })
})
