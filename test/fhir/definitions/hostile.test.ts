/** Whatever a StructureDefinition holds, it is read or refused: nothing else is thrown, and nothing takes long. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readStructure } from '../../../src/fhir/definitions/read-structure.ts'
import { snapshotOf } from '../../../src/fhir/definitions/snapshot.ts'
import type { Structure } from '../../../src/fhir/definitions/structure.ts'
import { builtInStructure } from '../../../src/fhir/definitions/structures.ts'
import { FhirError } from '../../../src/fhir/error.ts'
import { isObject, type Json, NumberText, parseJson, type Resource } from '../../../src/fhir/json.ts'
import { random, SEED } from '../validate/seeded.ts'
import { OWN } from './definitions-of.ts'

const FOLDER = join(import.meta.dirname, '../../../profiles/abdm')
const texts = readdirSync(FOLDER)
  .filter(file => file.startsWith('StructureDefinition-'))
  .map(file => readFileSync(join(FOLDER, file), 'utf8'))

const { number: below, pick } = random(SEED)

const TEXTS = [
  '',
  'x',
  '*',
  '0',
  '-1',
  '1e9',
  'Patient',
  'Patient.name',
  'a.b.c',
  '__proto__',
  'constructor',
  '#',
  '|',
  ':',
  '/',
  'a/b/c',
  '[x]',
]
const value = (): Json =>
  pick<() => Json>([
    () => pick(TEXTS),
    () => new NumberText(pick(['0', '-1', '1.5', '1e400', '99999999999999999999'])),
    () => null,
    () => true,
    () => [],
    () => ({}),
    () => [null, pick(TEXTS)],
    () => ({ [pick(TEXTS)]: pick(TEXTS) }),
    () => [
      {
        code: pick(TEXTS),
        profile: [pick([`${OWN}/self`, 'http://hl7.org/fhir/StructureDefinition/Patient', pick(TEXTS)])],
      },
    ],
  ])()

/** All objects and lists of a tree. */
function holders(tree: Json): (Json[] | { [name: string]: Json | undefined })[] {
  if (Array.isArray(tree)) return [tree, ...tree.flatMap(holders)]
  return isObject(tree)
    ? [tree, ...Object.values(tree).flatMap(one => (one === undefined ? [] : holders(one)))]
    : []
}

/** Changes, drops, repeats or moves something. */
function spoil(tree: Resource): void {
  const all = holders(tree).filter(one => Object.keys(one).length > 0)
  const one = pick(all)
  if (Array.isArray(one)) {
    const i = below(one.length)
    pick([
      () => one.splice(i, 1),
      () => one.push(one[i]!),
      () => one.reverse(),
      () => {
        one[i] = value()
      },
    ])()
    return
  }
  const name = pick(Object.keys(one))
  const other = pick(all)
  pick([
    () => {
      one[name] = value()
    },
    () => {
      one[name] = undefined
    },
    () => {
      if (!Array.isArray(other)) one[name] = other[name]
    },
    () => {
      if (typeof one[name] === 'string')
        one[name] = pick([`${one[name]}.x`, `${one[name]}:x`, (one[name] as string).slice(1), `${OWN}/self`])
    },
  ])()
}

test(`2000 spoilt definitions are read and made, or refused with 422 (NADI_TEST_SEED=${SEED})`, async () => {
  const seen = { made: 0, refused: 0 }
  const before = performance.now()
  for (let i = 0; i < 2000; i++) {
    const tree = parseJson(pick(texts)) as Resource
    for (let n = 1 + below(4); n > 0; n--) spoil(tree)
    try {
      const structure: Structure = readStructure(tree)
      const made = await snapshotOf(structure, async canonical =>
        canonical === `${OWN}/self` ? structure : builtInStructure(canonical),
      )
      expect(made.elements.every(({ min, max }) => min !== undefined && max !== undefined)).toBe(true)
      expect(new Set(made.elements.map(({ id }) => id)).size).toBe(made.elements.length)
      seen.made++
    } catch (error) {
      if (!(error instanceof FhirError)) throw error
      expect(error.status).toBe(422)
      seen.refused++
    }
  }
  expect(seen.made).toBeGreaterThan(200)
  expect(seen.refused).toBeGreaterThan(200)
  expect(performance.now() - before).toBeLessThan(30_000)
}, 40_000)
