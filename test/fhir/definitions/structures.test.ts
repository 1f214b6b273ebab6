/** The definitions that come with the server say what the published ones say. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { readStructure } from '../../../src/fhir/definitions/read-structure.ts'
import type { Structure } from '../../../src/fhir/definitions/structure.ts'
import { builtInProfilesOf, builtInStructure } from '../../../src/fhir/definitions/structures.ts'
import { parseJson, type Resource } from '../../../src/fhir/json.ts'
import { CORE } from './definitions-of.ts'

const ROOT = join(import.meta.dirname, '../../..')

const definitionsIn = (folder: string): Resource[] =>
  readdirSync(join(ROOT, folder))
    .filter(file => file.startsWith('StructureDefinition-'))
    .map(file => parseJson(readFileSync(join(ROOT, folder, file), 'utf8')) as Resource)

/**
 * As it is kept: whether an element changes the meaning of others, and has to be supported, only where it is so, and where a constraint
 * comes from not at all.
 */
const plain = (structure: Structure): Structure => ({
  ...structure,
  elements: structure.elements.map(({ modifier, mustSupport, constraints, ...rule }) => ({
    ...rule,
    ...(constraints && { constraints: constraints.map(({ source: _, ...one }) => one) }),
    ...(modifier && { modifier }),
    ...(mustSupport && { mustSupport }),
  })),
})

test('every definition of R4 is there whole: types as snapshots, constraints as differentials', () => {
  const all = definitionsIn('node_modules/hl7.fhir.r4.examples').filter(one => one.fhirVersion === '4.0.1')
  expect(all.length).toBe(653)
  for (const { snapshot, differential, ...head } of all) {
    const view = head.derivation === 'constraint' ? { differential } : { snapshot }
    const expected = readStructure({ ...head, ...view } as Resource)
    const found = builtInStructure(expected.url)
    // Vitest's own comparison of a million members takes seconds.
    if (!isDeepStrictEqual(found, plain(expected))) expect(found).toEqual(plain(expected))
  }
})

test('every profile of ours is there whole', () => {
  const all = definitionsIn('profiles/abdm')
  expect(all.length).toBeGreaterThan(40)
  for (const one of all) {
    const expected = readStructure(one)
    expect(builtInStructure(expected.url)).toEqual(plain(expected))
    if (expected.kind === 'resource') expect(builtInProfilesOf(expected.type)).toContain(expected.url)
  }
})

test('examples of profiles are not among them, and names of properties of every object are no canonicals', () => {
  for (const url of [
    `${CORE}/example-composition`,
    `${CORE}/example-section-library`,
    `${CORE}/Nothing`,
    'toString',
    '',
  ])
    expect(builtInStructure(url)).toBeUndefined()
  expect(builtInProfilesOf('constructor')).toEqual([])
  expect(builtInProfilesOf('Account')).toEqual([])
})

test('a version is the version of the definition, and the same object comes every time', () => {
  const patient = builtInStructure(`${CORE}/Patient`)
  expect(patient?.version).toBe('4.0.1')
  expect(builtInStructure(`${CORE}/Patient|4.0.1`)).toBe(patient)
  expect(builtInStructure(`${CORE}/Patient|4.3.0`)).toBeUndefined()
})
