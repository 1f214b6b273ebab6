/** What the releases of test/cases/terminology say, by hand: their concepts are invented. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Concepts } from '../../src/storage/concepts.ts'
import type { Storage } from '../../src/storage/port.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { silent } from '../storage/silent-log.ts'
import { runCli } from './run-cli.ts'
import { zipOf } from './zip-file.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CASES = join(ROOT, 'test/cases/terminology')
const INTERNATIONAL = join(CASES, 'snomed/international')
const EXTENSION = join(CASES, 'snomed/extension')
const LOINC = join(CASES, 'loinc')

const SCT = 'http://snomed.info/sct'
const INT_VERSION = `${SCT}/900000000000207008/version/20260101`
/** The identifiers of the invented concepts. */
const c = (n: number) => `${n}9999999100`
const FSN = '900000000000003001'
const PREFERRED = '900000000000548007'
const SYNONYM = '900000000000013009'

let dir: string
let database: string
let opened: Storage[]

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'nadi-terminology-test-'))
  database = join(dir, 'nadi.db')
  opened = []
})
afterEach(async () => {
  for (const storage of opened) await storage.close()
  rmSync(dir, { recursive: true })
})

const store = () => `sqlite:${database}`
const run = (...args: string[]) => runCli(['terminology', ...args, '--storage', store()])
const load = (...args: string[]) => run('load', ...args)
const open = async (): Promise<Concepts> => {
  const storage = await openSqlite({ path: database, sync: 'normal', clock: Date.now, log: silent })
  opened.push(storage)
  return storage.concepts
}
/** Loads what must load, and returns what is in the store. */
const loaded = async (...args: string[]): Promise<Concepts> => {
  const { code, err, out } = await load(...args)
  expect(err).toBe('')
  expect(code, out).toBe(0)
  return open()
}
const codes = async (concepts: Concepts, system: string, ...[words, where]: [string[], object[]?]) => {
  const page = await concepts.find(system, words, { limit: 100, where: (where ?? []) as never })
  return page.concepts.map(({ code }) => code).sort()
}
const put = (name: string, content: string | Buffer): string => {
  const path = join(dir, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
  return path
}

describe('SNOMED CT', () => {
  it('has the concepts, names, properties, hierarchy and reference sets of the snapshot', async () => {
    const concepts = await loaded(INTERNATIONAL)
    expect(await concepts.current(SCT)).toMatchObject({
      version: INT_VERSION,
      title: 'SNOMED CT, International Edition, 2026-01-01',
      concepts: 8,
      propertyTypes: { [c(20)]: 'code', [c(21)]: 'decimal', inactive: 'boolean', moduleId: 'code' },
    })
    expect(await concepts.get(SCT, [c(12)])).toEqual([
      {
        code: c(12),
        display: 'Hemoglimmer',
        active: true,
        parents: [c(11), c(13)],
        properties: {
          inactive: ['false'],
          sufficientlyDefined: ['true'],
          moduleId: ['900000000000207008'],
          [c(20)]: [c(13)],
          [c(21)]: ['5'],
        },
        designations: [
          { language: 'en', use: FSN, value: 'Hemoglimmer (disorder)' },
          { language: 'en-GB', use: PREFERRED, value: 'Haemoglimmer' },
          { language: 'en-US', use: PREFERRED, value: 'Hemoglimmer' },
          { language: 'en-US', use: SYNONYM, value: 'Haemoglimmer' },
          { language: 'en-GB', use: SYNONYM, value: 'Hemoglimmer' },
          { language: 'en-GB', use: SYNONYM, value: 'Red glimmer' },
          {
            language: 'en',
            use: '900000000000550004',
            value: 'A glimmer of the blood, "invented" for this test.',
          },
        ],
        // The membership of 12 is inactive.
        sets: [],
      },
    ])
    expect((await concepts.ancestors(SCT, c(12))).sort()).toEqual([c(10), c(11), c(13)])
    expect(await codes(concepts, SCT, [], [{ is: 'isA', code: c(11) }])).toEqual([c(11), c(12)])
    expect(await codes(concepts, SCT, [], [{ is: 'memberOf', set: c(30) }])).toEqual([c(11)])
    expect(await codes(concepts, SCT, ['haemogl'])).toEqual([c(12)])
    expect(await codes(concepts, SCT, ['withdrawn'])).toEqual([])
    // Its is-a is inactive as well, and it has but a full name.
    expect(await concepts.get(SCT, [c(14)])).toMatchObject([
      { active: false, parents: [], display: 'Old glimmer (finding)' },
    ])
  })

  it('shows the names that the language prefers', async () => {
    const concepts = await loaded(INTERNATIONAL, '--language', 'en-GB')
    expect(await concepts.get(SCT, [c(12)])).toMatchObject([{ display: 'Haemoglimmer' }])
  })

  it('merges an extension: later rows win, whichever file they are in', async () => {
    const concepts = await loaded(EXTENSION, INTERNATIONAL)
    expect(await concepts.current(SCT)).toMatchObject({
      version: `${SCT}/${c(90)}/version/20260315`,
      concepts: 9,
    })
    const [kerala, low, site, old] = await concepts.get(SCT, [c(40), c(12), c(13), c(14)])
    expect(kerala).toMatchObject({
      display: 'Kerala glimmer',
      designations: [
        { language: 'en', use: FSN, value: 'Kerala glimmer (disorder)' },
        { language: 'en', use: PREFERRED, value: 'Kerala glimmer' },
        { language: 'ml', use: PREFERRED, value: 'കേരള തിളക്കം' },
      ],
    })
    // The extension ends the is-a to 13, and makes 12 a member.
    expect(low).toMatchObject({ parents: [c(11)], sets: [c(30)] })
    // What it says of 13 is older than what the International Edition says.
    expect(site).toMatchObject({ active: true })
    expect(old).toMatchObject({ active: true, parents: [c(11)], properties: { moduleId: [c(90)] } })
    expect(await codes(concepts, SCT, [], [{ is: 'isA', code: c(11) }])).toEqual([c(11), c(12), c(14), c(40)])
    expect(await codes(concepts, SCT, ['തിളക്കം'])).toEqual([c(40)])
  })

  it('shows names in Malayalam where asked', async () => {
    const concepts = await loaded(EXTENSION, INTERNATIONAL, '--language', 'ml')
    expect((await concepts.get(SCT, [c(40), c(11)])).map(one => one.display)).toEqual([
      'കേരള തിളക്കം',
      'Glimmer',
    ])
  })

  it('reads the zip file that a release comes in, the same as its folder', async () => {
    const files = readdirSync(INTERNATIONAL, { recursive: true, encoding: 'utf8' }).filter(name =>
      name.endsWith('.txt'),
    )
    const zip = zipOf(
      files.map(name => [`Release/${name}`, readFileSync(join(INTERNATIONAL, name))] as const),
    )
    const packed = await loaded(put('release.zip', zip))
    const all = (on: Concepts) => on.find(SCT, [], { limit: 100 }).then(page => page.concepts)
    const fromZip = await all(packed)
    database = join(dir, 'other.db')
    const fromFolder = await all(await loaded(INTERNATIONAL))
    expect(fromZip.length).toBe(8)
    const byCode = (a: { code: string }, b: { code: string }) => (a.code < b.code ? -1 : 1)
    expect(fromZip.sort(byCode)).toEqual(fromFolder.sort(byCode))
    // The middle of an entry is destroyed: its check sum or its packing is wrong.
    const broken = Buffer.from(zip)
    broken.fill(0xff, 100, 140)
    const { code, err } = await load(put('broken.zip', broken))
    expect(code).toBe(1)
    expect(err).toMatch(/broken\.zip: Release\/.*: it cannot be read/)
  })
})

describe('LOINC', () => {
  it('has terms, parts with their hierarchy, answers and lists', async () => {
    const concepts = await loaded(LOINC)
    const system = 'http://loinc.org'
    expect(await concepts.current(system)).toMatchObject({
      version: '9.99',
      title: 'LOINC 9.99',
      concepts: 9,
    })
    const [term, shade] = await concepts.get(system, ['X1-1', 'X2-2'])
    expect(term).toEqual({
      code: 'X1-1',
      display: 'Glimmer [Mass/volume] in Blood',
      active: true,
      parents: ['LPX1-1', 'LPX3-3'],
      properties: {
        STATUS: ['ACTIVE'],
        COMPONENT: ['Glimmer', 'LPX1-1'],
        PROPERTY: ['MCnc'],
        TIME_ASPCT: ['Pt'],
        SYSTEM: ['Bld'],
        SCALE_TYP: ['Qn'],
        CLASS: ['TESTCHEM'],
        CLASSTYPE: ['1'],
        ORDER_OBS: ['Both'],
        VersionLastChanged: ['9.99'],
        DefinitionDescription: ['A "glimmer", invented,\r\nin two lines.'],
      },
      designations: [
        { language: 'en', use: 'LONG_COMMON_NAME', value: 'Glimmer [Mass/volume] in Blood' },
        { language: 'en', use: 'SHORTNAME', value: 'Glimmer Bld-mCnc' },
        { language: 'en', use: 'DisplayName', value: 'Glimmer (Bld) [Mass/Vol]' },
        { language: 'en', use: 'CONSUMER_NAME', value: 'Glimmer, Blood' },
        { language: 'en', use: 'RELATEDNAMES2', value: 'Glim; Shine; B' },
        { language: 'en', use: 'FullySpecifiedName', value: 'Glimmer:MCnc:Pt:Bld:Qn' },
      ],
      sets: [],
    })
    expect(shade).toMatchObject({
      active: false,
      properties: { 'answer-list': ['LLX1-1'], METHOD_TYP: ['Observed'] },
    })
    expect(await codes(concepts, system, ['shine'])).toEqual(['X1-1'])
    expect(await codes(concepts, system, [], [{ is: 'isA', code: 'LPX2-2' }])).toEqual([
      'LPX1-1',
      'LPX2-2',
      'LPX3-3',
      'X1-1',
    ])
    expect(await codes(concepts, system, [], [{ is: 'memberOf', set: 'LLX1-1' }])).toEqual([
      'LAX1-1',
      'LAX2-2',
    ])
    expect(await concepts.get(system, ['LAX2-2', 'LLX1-1', 'LPX3-3', 'X9-9'])).toMatchObject([
      {
        display: 'Dark, "very"',
        sets: ['LLX1-1', 'LLX2-2'],
        properties: { 'answers-for': ['LLX1-1', 'LLX2-2'] },
      },
      { display: 'Shades' },
      { display: 'Glimmer | Bld' },
    ])
    const component = { is: 'property', property: 'COMPONENT', values: ['LPX1-1'] }
    expect(await codes(concepts, system, [], [component])).toEqual(['X1-1'])
  })

  it('wants a version where no name tells it', async () => {
    cpSync(join(LOINC, 'Loinc_9.99/LoincTable'), join(dir, 'table'), { recursive: true })
    const { code, err } = await load(join(dir, 'table'))
    expect(code).toBe(1)
    expect(err).toContain('--version')
    const concepts = await loaded(join(dir, 'table'), '--version', '2.0')
    expect(await concepts.current('http://loinc.org|2.0')).toMatchObject({ concepts: 2 })
  })
})

describe('ICD-10', () => {
  it('has the classes of ClaML with their rubrics, and the codes that modifiers make', async () => {
    const concepts = await loaded(join(CASES, 'icd-10'))
    const system = 'http://hl7.org/fhir/sid/icd-10'
    expect(await concepts.current(system)).toMatchObject({ version: '2099', title: 'ICD-10 2099' })
    expect(await codes(concepts, system, [])).toEqual([
      'XX',
      'Z00',
      'Z00-Z09',
      'Z00.5',
      'Z00.50',
      'Z00.59',
      'Z01',
      'Z01.0',
      'Z01.1',
      'Z02',
      'Z02.0',
      'Z02.00',
      'Z02.09',
    ])
    const [chapter, glimmer, red, made, twice] = await concepts.get(system, [
      'XX',
      'Z00',
      'Z00.5',
      'Z01.1',
      'Z02.09',
    ])
    expect(chapter).toMatchObject({
      display: 'Diseases of lamps & lights — all',
      parents: [],
      properties: { kind: ['chapter'] },
    })
    expect(glimmer).toMatchObject({
      parents: ['Z00-Z09'],
      properties: { kind: ['category'], usage: ['dagger'], exclusion: ['shade Z01'] },
      designations: [{ language: 'en', use: 'preferred', value: 'Glimmer of lamps' }],
    })
    expect(red).toMatchObject({ display: 'Glimmer, red', properties: { text: ['First. Second.'] } })
    expect(made).toMatchObject({
      display: 'Shade of lamps: Without glare',
      parents: ['Z01'],
      designations: [
        { use: 'preferred', value: 'Shade of lamps: Without glare' },
        { use: 'inclusion', value: 'Plain' },
      ],
    })
    expect(twice).toMatchObject({ display: 'Flicker < & >: With glare: Site unknown', parents: ['Z02.0'] })
    expect(await codes(concepts, system, [], [{ is: 'isA', code: 'Z02' }])).toEqual([
      'Z02',
      'Z02.0',
      'Z02.00',
      'Z02.09',
    ])
  })

  it('has the codes of ICD-10-CM with their dots, headings above them', async () => {
    const concepts = await loaded(join(CASES, 'icd-10-cm'))
    const system = 'http://hl7.org/fhir/sid/icd-10-cm'
    expect(await concepts.current(system)).toMatchObject({
      version: '2099',
      concepts: 5,
      propertyTypes: { billable: 'boolean' },
    })
    expect(await concepts.get(system, ['Z00.0X1A', 'Z00', 'Z01'])).toEqual([
      {
        code: 'Z00.0X1A',
        display: 'Red glimmer of lamps, initial encounter',
        active: true,
        parents: ['Z00.0'],
        properties: { billable: ['true'] },
        designations: [{ language: 'en', use: 'short', value: 'Red glimmer of lamps, init' }],
        sets: [],
      },
      expect.objectContaining({
        display: 'Glimmer of lamps',
        parents: [],
        properties: { billable: ['false'] },
      }),
      expect.objectContaining({ display: 'Shade of lamps', parents: [] }),
    ])
    expect(await concepts.ancestors(system, 'Z00.0X1A')).toEqual(['Z00.0', 'Z00'])
  })
})

describe('releases', () => {
  it('loads twice, replaces the older, keeps it where asked, lists and removes', async () => {
    const first = await load(LOINC)
    expect(first.out).toMatch(
      /^Loaded LOINC 9\.99: 9 concepts, \d+ names in [\d.]+ s\. http:\/\/loinc\.org\|9\.99\n$/,
    )
    expect((await load(LOINC)).code).toBe(0)
    expect((await run('list')).out).toMatch(
      /^current {2}http:\/\/loinc\.org\|9\.99 {2}LOINC 9\.99, 9 concepts, \d+ names\n$/,
    )
    await load(LOINC, '--version', '10.0', '--keep')
    expect(
      (await run('list')).out.split('\n').map(line => line.split(' ').filter(Boolean).slice(0, 2)),
    ).toEqual([['current', 'http://loinc.org|10.0'], ['kept', 'http://loinc.org|9.99'], []])
    await load(join(CASES, 'icd-10'))
    expect((await run('remove', 'loinc|9.99')).out).toMatch(/^Removed LOINC 9\.99/)
    await load(LOINC, '--version', '11.0')
    const concepts = await open()
    expect((await concepts.releases()).map(({ version, state }) => [version, state])).toEqual([
      ['11.0', 'current'],
      ['2099', 'current'],
    ])
    expect((await run('remove', 'http://loinc.org')).code).toBe(0)
    expect(await run('remove', 'loinc')).toMatchObject({
      code: 1,
      err: 'There is no release of http://loinc.org in the store.\n',
    })
    expect((await concepts.releases()).map(({ version }) => version)).toEqual(['2099'])
  })

  it('is in a backup and in what is restored from it', async () => {
    await load(LOINC)
    const copy = join(dir, 'copy.db')
    expect((await runCli(['backup', copy, '--storage', store()])).code).toBe(0)
    database = join(dir, 'restored.db')
    expect((await runCli(['restore', copy, '--storage', store()])).code).toBe(0)
    expect(await codes(await open(), 'http://loinc.org', ['glim', 'blood'])).toEqual(['X1-1'])
  })

  it('asks which, where there are several', async () => {
    const { code, err } = await load(CASES)
    expect(code).toBe(1)
    expect(err).toContain('choose one with --system')
    const concepts = await loaded(CASES, '--system', 'loinc')
    expect((await concepts.releases()).length).toBe(1)
  })
})

describe('what cannot be loaded is said with file and line, and nothing of it is kept', () => {
  const changed = (from: string, name: RegExp, change: (text: string) => string | Buffer): string => {
    const to = join(dir, 'release')
    cpSync(from, to, { recursive: true })
    const file = readdirSync(to, { recursive: true, encoding: 'utf8' }).find(one => name.test(one))!
    writeFileSync(join(to, file), change(readFileSync(join(to, file), 'utf8')))
    return to
  }
  const rows: [what: string, release: () => string, words: RegExp][] = [
    [
      'a line that is cut',
      () =>
        changed(INTERNATIONAL, /sct2_Relationship_Snap/, text =>
          text.split('\r\n').slice(0, 3).join('\r\n').slice(0, -40),
        ),
      /sct2_Relationship_Snapshot_INT_20260101\.txt, line 3: it has \d fields, not 10\./,
    ],
    [
      'another column',
      () => changed(INTERNATIONAL, /sct2_Description_Snap/, text => text.replace('languageCode', 'lang')),
      /sct2_Description_Snapshot-en_INT_20260101\.txt, line 1: column 6 is to be languageCode, not "lang"\./,
    ],
    [
      'a code that is none',
      () => changed(INTERNATIONAL, /sct2_Concept_Snap/, text => text.replace(c(13), '13; DROP')),
      /sct2_Concept_Snapshot_INT_20260101\.txt, line 5: id is no identifier: "13; DROP"/,
    ],
    [
      'bytes that are no UTF-8',
      () =>
        changed(LOINC, /Part\.csv/, text =>
          Buffer.from(text.replace('Test chemistry', 'Test chémistry'), 'latin1'),
        ),
      /Part\.csv, line 3: the text is not UTF-8\./,
    ],
    [
      'a quote that is not closed',
      () => changed(LOINC, /Part\.csv/, text => text.slice(0, -3)),
      /Part\.csv, line 3: a quote is not closed\./,
    ],
    [
      'a record with a field too many',
      () => changed(LOINC, /Loinc\.csv/, text => text.replace('"Find"', '"Find","x"')),
      /Loinc\.csv, line 4: it has 19 fields, not 18\./,
    ],
    [
      'a column that is missing',
      () => changed(LOINC, /Loinc\.csv/, text => text.replace('STATUS', 'STATE')),
      /Loinc\.csv, line 1: there is no column STATUS\./,
    ],
    [
      'XML that is not well-formed',
      () => changed(join(CASES, 'icd-10'), /xml/, text => text.replace('</Term>', '</Turm>')),
      /icd10-invented\.xml, line 28: <\/Turm> closes what is not open\./,
    ],
    [
      'an entity of the document',
      () => changed(join(CASES, 'icd-10'), /xml/, text => text.replace('Many sites', '&boom;')),
      /icd10-invented\.xml, line 16: &boom is no character that XML knows\./,
    ],
    [
      'a class that is there twice',
      () => changed(join(CASES, 'icd-10'), /xml/, text => text.replace('code="Z01" kind', 'code="Z00" kind')),
      /icd10-invented\.xml, line 30: the class Z00 is there twice\./,
    ],
    [
      'a line of an order file that is none',
      () => changed(join(CASES, 'icd-10-cm'), /txt/, text => text.replace('00004 Z001   ', '00004 z001   ')),
      /icd10cm_order_2099\.txt, line 4: it is no line of an order file/,
    ],
    [
      'a folder with no release',
      () => join(LOINC, 'Loinc_9.99/LoincTableCore'),
      /There is no release that can be loaded: SNOMED CT/,
    ],
    ['a zip file that is none', () => put('x.zip', 'PK no'), /x\.zip cannot be read as a zip file/],
    ['a path that is not there', () => join(dir, 'nothing'), /nothing/],
  ]
  it.each(rows)('%s', async (_, release, words) => {
    const { code, err, out } = await load(release())
    expect(err).toMatch(words)
    expect(err).not.toMatch(/\n\s+at /)
    expect([code, out]).toEqual([1, ''])
    expect((await (await open()).releases()).filter(one => one.state !== 'loading')).toEqual([])
  })
})

/** Makes a release of many concepts, so that its load takes a while. */
function large(count: number): string {
  const to = join(dir, 'large')
  cpSync(INTERNATIONAL, to, { recursive: true })
  const grow = (name: RegExp, line: (n: number) => string): void => {
    const file = readdirSync(to, { recursive: true, encoding: 'utf8' }).find(one => name.test(one))!
    const more = Array.from({ length: count }, (_, i) => `${line(i + 1000)}\r\n`)
    writeFileSync(join(to, file), readFileSync(join(to, file), 'utf8') + more.join(''))
  }
  const core = '20260101\t1\t900000000000207008'
  grow(/sct2_Concept_Snap/, n => `${c(n)}\t${core}\t900000000000074008`)
  grow(
    /sct2_Description_Snap/,
    n => `${n}9999999110\t${core}\t${c(n)}\ten\t${FSN}\tThing ${n} (test)\t900000000000448009`,
  )
  grow(
    /sct2_Relationship_Snap/,
    n => `${n}9999999120\t${core}\t${c(n)}\t${c(10)}\t0\t116680003\t900000000000011006\t900000000000451002`,
  )
  return to
}

describe('a load that is killed', () => {
  it('leaves what was there in force, nothing of its own to be seen, and the next load takes its rows away', {
    timeout: 120_000,
  }, async () => {
    const concepts = await loaded(INTERNATIONAL)
    const release = large(60_000)
    const scratch = join(dir, 'scratch')
    const args = [
      'src/cli.ts',
      'terminology',
      'load',
      release,
      '--version',
      'killed',
      '--scratch',
      scratch,
      '--storage',
      store(),
    ]
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'ignore' })
    const ended = once(child, 'exit')
    let written = 0
    while (written < 2000 && child.exitCode === null) {
      await new Promise(resolve => setTimeout(resolve, 10))
      written = (await concepts.releases()).find(({ version }) => version === 'killed')?.concepts ?? 0
    }
    child.kill('SIGKILL')
    expect((await ended)[1]).toBe('SIGKILL')
    const states = async () => (await concepts.releases()).map(({ version, state }) => [version, state])
    expect(await states()).toEqual([
      ['killed', 'loading'],
      [INT_VERSION, 'current'],
    ])
    expect(await concepts.current(`${SCT}|killed`)).toBeUndefined()
    expect(await codes(concepts, SCT, ['thing'])).toEqual([])
    expect((await concepts.get(SCT, [c(12)])).length).toBe(1)
    expect(readdirSync(scratch).length).toBe(1)

    const again = await load(LOINC, '--scratch', scratch)
    expect(again.code).toBe(0)
    expect(again.err).toContain('was ended a moment ago')
    expect(await states()).toEqual([
      ['9.99', 'current'],
      [INT_VERSION, 'current'],
    ])
    // Of its rows nothing is left in the tables either, and of its files nothing on the disk.
    expect(readdirSync(scratch)).toEqual([])
    const { DatabaseSync } = await import('node:sqlite')
    const db = new DatabaseSync(database, { readOnly: true })
    expect(db.prepare('SELECT count(*) AS n FROM concept').get()!.n).toBe(8 + 9)
    expect(db.prepare(`SELECT count(*) AS n FROM concept_index('thing')`).get()!.n).toBe(0)
    db.close()
  })

  it('does not keep a server from writing while it goes on', { timeout: 60_000 }, async () => {
    const storage = await openSqlite({ path: database, sync: 'normal', clock: Date.now, log: silent })
    opened.push(storage)
    const release = large(20_000)
    let going = true
    const loading = load(release, '--version', 'large').finally(() => {
      going = false
    })
    let longest = 0
    let commits = 0
    while (going) {
      const start = performance.now()
      await storage.keep(`name ${commits++}`, 'x')
      longest = Math.max(longest, performance.now() - start)
      await new Promise(resolve => setTimeout(resolve, 2))
    }
    expect((await loading).code).toBe(0)
    expect(commits).toBeGreaterThan(20)
    // A write that waits for a whole load would wait for seconds; the machine may be busy with other things.
    expect(longest).toBeLessThan(2000)
    expect(await storage.concepts.current(SCT)).toMatchObject({ concepts: 20_008 })
  })
})

it('the releases for tests hold no codes but their own and those of the format', () => {
  const files = readdirSync(join(CASES, 'snomed'), { recursive: true, encoding: 'utf8' }).filter(name =>
    name.endsWith('.txt'),
  )
  for (const file of files)
    for (const [id] of readFileSync(join(CASES, 'snomed', file), 'utf8').matchAll(/\b\d{6,18}\b/g)) {
      const isDate = /^20\d{6}$/.test(id)
      expect(
        isDate ||
          id === '116680003' ||
          /^900000000000\d{6}$/.test(id) ||
          /^\d+99999991[0-2]0$/.test(id) ||
          /^0+\d*$/.test(id),
        `${relative(CASES, file)}: ${id}`,
      ).toBe(true)
    }
})
