/** The definitions that are there at start, against the published ones. https://hl7.org/fhir/R4/terminologies-systems.html */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  builtInDefinition,
  builtInNames,
  type TerminologyType,
} from '../../../src/fhir/definitions/terminology.ts'
import { writeJson } from '../../../src/fhir/json.ts'

const FOLDER = dirname(createRequire(import.meta.url).resolve('hl7.fhir.r4.examples/package.json'))

interface Concept {
  code: string
  display?: string
  definition?: string
  designation?: object[]
  property?: object[]
  concept?: Concept[]
}

/** Its definitions are left out: they would be a tenth of all. */
const DICOM = 'http://dicom.nema.org/resources/ontology/DCM'

/** What is taken over of concepts, without extensions. */
const slim = (list: readonly Concept[] = [], bare = false): unknown[] =>
  list.map(({ code, display, definition, designation, property, concept }) => ({
    code,
    display,
    definition: bare ? undefined : definition,
    designation,
    property,
    concept: concept && slim(concept, bare),
  }))

const published = (type: TerminologyType) =>
  readdirSync(FOLDER)
    .filter(file => file.startsWith(`${type}-`))
    .map(file => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')))

const packed = async (type: TerminologyType, canonical: string) => {
  const found = await builtInDefinition(type, canonical)
  return found && JSON.parse(writeJson(found))
}

describe('every published', () => {
  it('CodeSystem is there with its concepts', async () => {
    const all = published('CodeSystem')
    expect(all).toHaveLength(1062)
    const empty = all.filter(({ content }) => content === 'not-present').map(({ url }) => url)
    expect(empty).toEqual(['http://snomed.info/sct', 'http://hl7.org/fhir/CodeSystem/summary'])
    for (const url of empty) expect(await packed('CodeSystem', url)).toBeUndefined()
    for (const one of all.filter(({ url }) => !empty.includes(url))) {
      const found = await packed('CodeSystem', one.url)
      const { version, content, status, caseSensitive, hierarchyMeaning, property } = one
      expect(found, one.url).toMatchObject(
        JSON.parse(JSON.stringify({ version, content, status, caseSensitive, hierarchyMeaning, property })),
      )
      expect(JSON.stringify(slim(found.concept)), one.url).toBe(
        JSON.stringify(slim(one.concept, one.url === DICOM)),
      )
    }
  })

  it('ValueSet is there with its compose', async () => {
    const all = published('ValueSet')
    expect(all).toHaveLength(1316)
    const bare = (value: unknown): string =>
      JSON.stringify(value, (name, member) =>
        name === 'extension' || name.startsWith('_') ? undefined : member,
      )
    for (const one of all) {
      const found = await packed('ValueSet', `${one.url}|${one.version}`)
      expect(bare(found?.compose), one.url).toBe(bare(one.compose))
    }
  })

  it('ConceptMap is there with its groups', async () => {
    const all = published('ConceptMap')
    expect(all).toHaveLength(80)
    for (const one of all) {
      const found = await packed('ConceptMap', one.url)
      expect(found.group, one.url).toEqual(one.group)
    }
  })
})

it('another version, and what is not there, are not found', async () => {
  const url = 'http://hl7.org/fhir/ValueSet/administrative-gender'
  expect(await builtInDefinition('ValueSet', `${url}|3.0`)).toBeUndefined()
  expect(await builtInDefinition('ValueSet', 'urn:nobody')).toBeUndefined()
  expect(await builtInDefinition('CodeSystem', url)).toBeUndefined()
})

it('the value sets of the profiles of this repository are there too', () => {
  const own = builtInNames().filter(
    name => !/\|https?:\/\/(?:terminology\.)?hl7\.org\/|dicom|urn:oid/.test(name),
  )
  expect(own.length).toBeGreaterThan(0)
})
