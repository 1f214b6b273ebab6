/** Definitions by canonical: stored before built in, kept while nothing changes, and no longer. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { structureOf } from '../../src/conformance/structures.ts'
import { remove } from '../../src/interactions/delete.ts'
import { update } from '../../src/interactions/update.ts'
import { refusal, resource, shape, type TestContext, testContext } from '../interactions/context.ts'

let ctx: TestContext
/** Another server process on the same store. */
let other: TestContext
beforeEach(async () => {
  ctx = await testContext()
  other = { ...ctx, storage: { ...ctx.storage } }
})
afterEach(() => ctx.storage.close())

const URL = 'http://example.org/StructureDefinition'
const VITALS = 'http://hl7.org/fhir/StructureDefinition/vitalsigns'
const PATIENT = 'http://hl7.org/fhir/StructureDefinition/Patient'

const profile = (name: string, base: string, element: string, more = '') =>
  resource(
    `{"resourceType":"StructureDefinition","id":"${name}","url":"${URL}/${name}","name":"X","status":"active","kind":"resource",` +
      `"abstract":false,"type":"Patient","baseDefinition":"${base}","derivation":"constraint"${more},"differential":{"element":[${element}]}}`,
  )
const min = (path: string, value: number) => `{"id":"${path}","path":"${path}","min":${value}}`
const store = (by: TestContext, name: string, base: string, element: string, more = '') =>
  update(by, 'StructureDefinition', name, profile(name, base, element, more))
const minOf = async (by: TestContext, canonical: string, path: string) =>
  (await structureOf(by, canonical))?.elements.find(one => one.path === path)?.min

test('a type of R4 is its snapshot, by its canonical with and without the version', async () => {
  const patient = await structureOf(ctx, PATIENT)
  expect(patient?.snapshot).toBe(true)
  expect(patient?.elements.find(({ path }) => path === 'Patient.link.other')).toMatchObject({
    min: 1,
    max: 1,
  })
  expect(await structureOf(ctx, `${PATIENT}|4.0.1`)).toBe(patient)
  expect(await structureOf(ctx, `${PATIENT}|3.0.2`)).toBeUndefined()
})

test('a profile that comes with the server is a snapshot of all elements', async () => {
  const vitals = await structureOf(ctx, VITALS)
  expect(vitals?.snapshot).toBe(true)
  const of = (id: string) => vitals?.elements.find(one => one.id === id)
  expect(of('Observation.category:VSCat.coding.code')).toMatchObject({ min: 1, max: 1 })
  expect(of('Observation.method')).toMatchObject({ min: 0, max: 1 })
})

test('nobody knows a canonical that is nowhere, and a resource of another type is none', async () => {
  expect(await structureOf(ctx, `${URL}/absent`)).toBeUndefined()
  expect(await structureOf(ctx, 'Patient/1')).toBeUndefined()
  expect(await structureOf(ctx, `http://x/${'y'.repeat(5000)}`)).toBeUndefined()
})

test('the same object is returned while nothing changes, also after other definitions have', async () => {
  await store(ctx, 'named', PATIENT, min('Patient.name', 1))
  const first = await structureOf(ctx, `${URL}/named`)
  expect(first?.elements.find(({ path }) => path === 'Patient.name')?.min).toBe(1)
  expect(await structureOf(ctx, `${URL}/named`)).toBe(first)
  await store(ctx, 'dated', PATIENT, min('Patient.birthDate', 1))
  expect(await structureOf(ctx, `${URL}/named`)).toBe(first)
  ctx.pass(5000)
  expect(await structureOf(ctx, `${URL}/named`)).toBe(first)
})

test('a definition that this instance stores, changes or deletes is in force at once', async () => {
  expect(await structureOf(ctx, `${URL}/named`)).toBeUndefined()
  await store(ctx, 'named', PATIENT, min('Patient.name', 1))
  expect(await minOf(ctx, `${URL}/named`, 'Patient.name')).toBe(1)
  await store(ctx, 'named', PATIENT, min('Patient.name', 2))
  expect(await minOf(ctx, `${URL}/named`, 'Patient.name')).toBe(2)
  await remove(ctx, 'StructureDefinition', 'named')
  expect(await structureOf(ctx, `${URL}/named`)).toBeUndefined()
})

test('a definition that another instance stores, changes or deletes is in force after a second', async () => {
  expect(await structureOf(other, `${URL}/named`)).toBeUndefined()
  await store(ctx, 'named', PATIENT, min('Patient.name', 1))
  ctx.pass(1000)
  expect(await minOf(other, `${URL}/named`, 'Patient.name')).toBe(1)
  await store(ctx, 'named', PATIENT, min('Patient.name', 2))
  ctx.pass(1000)
  expect(await minOf(other, `${URL}/named`, 'Patient.name')).toBe(2)
  await remove(ctx, 'StructureDefinition', 'named')
  ctx.pass(1000)
  expect(await structureOf(other, `${URL}/named`)).toBeUndefined()
})

test('a profile follows the profile that it is derived from, here at once and elsewhere after a second', async () => {
  await store(ctx, 'base', PATIENT, min('Patient.name', 1))
  await store(ctx, 'derived', `${URL}/base`, min('Patient.birthDate', 1))
  const [here, there] = [await structureOf(ctx, `${URL}/derived`), await structureOf(other, `${URL}/derived`)]
  expect([here, there].map(one => one?.elements.find(({ path }) => path === 'Patient.name')?.min)).toEqual([
    1, 1,
  ])
  await store(ctx, 'base', PATIENT, min('Patient.name', 3))
  expect(await minOf(ctx, `${URL}/derived`, 'Patient.name')).toBe(3)
  ctx.pass(1000)
  expect(await minOf(other, `${URL}/derived`, 'Patient.name')).toBe(3)
})

test('a profile whose base is missing says which, and works as soon as it is there', async () => {
  await store(ctx, 'derived', `${URL}/base`, min('Patient.birthDate', 1))
  const error = await refusal(structureOf(ctx, `${URL}/derived`))
  expect(shape(error)).toEqual([422, 'not-found', [undefined]])
  expect(error.message).toContain(`${URL}/base`)
  await store(ctx, 'base', PATIENT, min('Patient.name', 1))
  expect(await minOf(ctx, `${URL}/derived`, 'Patient.name')).toBe(1)
})

test('a stored definition stands before the one of the same url that comes with the server, but for the types of R4', async () => {
  const own = (url: string, id: string) =>
    update(
      ctx,
      'StructureDefinition',
      id,
      resource(
        `{"resourceType":"StructureDefinition","id":"${id}","url":"${url}","name":"X","status":"active","kind":"resource","abstract":false,` +
          `"type":"Observation","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Observation","derivation":"constraint",` +
          `"differential":{"element":[${min('Observation.method', 1)}]}}`,
      ),
    )
  expect(await minOf(ctx, VITALS, 'Observation.method')).toBe(0)
  await own(VITALS, 'own-vitals')
  expect(await minOf(ctx, VITALS, 'Observation.method')).toBe(1)
  await remove(ctx, 'StructureDefinition', 'own-vitals')
  expect(await minOf(ctx, VITALS, 'Observation.method')).toBe(0)
  const before = await structureOf(ctx, PATIENT)
  await own(PATIENT, 'own-patient')
  expect(await structureOf(ctx, PATIENT)).toBe(before)
})

test('while nothing changes the store is asked once a second, however many profiles are asked for', async () => {
  await store(ctx, 'named', PATIENT, min('Patient.name', 1))
  let asked = 0
  const { history, search, read } = ctx.storage
  const counted: TestContext = {
    ...ctx,
    storage: {
      ...ctx.storage,
      history: (...parts) => {
        asked++
        return history(...parts)
      },
      search: (...parts) => {
        asked++
        return search(...parts)
      },
      read: (...parts) => {
        asked++
        return read(...parts)
      },
    },
  }
  const all = async () => {
    for (const canonical of [`${URL}/named`, `${URL}/absent`, VITALS, PATIENT])
      await structureOf(counted, canonical)
  }
  await all()
  asked = 0
  for (let i = 0; i < 20; i++) await all()
  expect(asked).toBe(0)
  ctx.pass(1000)
  await all()
  await all()
  expect(asked).toBe(1)
})

test('who asks for the same at the same time gets the same object', async () => {
  await store(ctx, 'named', PATIENT, min('Patient.name', 1))
  const [a, b] = await Promise.all([structureOf(ctx, `${URL}/named`), structureOf(ctx, `${URL}/named`)])
  expect(a?.url).toBe(`${URL}/named`)
  expect(b).toBe(a)
  expect(await structureOf(ctx, `${URL}/named`)).toBe(a)
})

test('a profile that names very many others that nobody has is given up at the deadline, not searched for without end', async () => {
  const slice = (i: number) =>
    `{"path":"Patient.extension","sliceName":"x${i}","type":[{"code":"Extension","profile":["${URL}/none${i}"]}]}`
  await store(ctx, 'wide', PATIENT, Array.from({ length: 300 }, (_, i) => slice(i)).join())
  let searches = 0
  const { search } = ctx.storage
  const slow: TestContext = {
    ...ctx,
    storage: {
      ...ctx.storage,
      search: (...parts) => {
        searches++
        ctx.pass(100)
        return search(...parts)
      },
    },
  }
  expect(shape(await refusal(structureOf(slow, `${URL}/wide`)))).toEqual([503, 'too-costly', [undefined]])
  // The limit of a search is five seconds here.
  expect(searches).toBeLessThanOrEqual(51)
  expect(
    (await structureOf(ctx, `${URL}/wide`))?.elements.some(({ sliceName }) => sliceName === 'x299'),
  ).toBe(true)
})

test('a stored definition that is nonsense is refused with its place, until it is mended', async () => {
  await store(ctx, 'named', PATIENT, '{"id":"Patient.name","path":"Patient.name","min":3,"max":"2"}')
  expect(shape(await refusal(structureOf(ctx, `${URL}/named`)))).toEqual([
    422,
    'value',
    ['StructureDefinition.differential.element[0].min'],
  ])
  await store(ctx, 'named', PATIENT, min('Patient.name', 1))
  expect(await minOf(ctx, `${URL}/named`, 'Patient.name')).toBe(1)
})

test('definitions of very many elements are not all kept', async () => {
  const large = Array.from({ length: 19_000 }, (_, i) => `{"path":"Patient.x${i}","min":0,"max":"*"}`)
  const unchecked: TestContext = { ...ctx, settings: { ...ctx.settings, validate: 'off' } }
  const open = async (name: string) => {
    await update(
      unchecked,
      'StructureDefinition',
      name,
      resource(
        `{"resourceType":"StructureDefinition","id":"${name}","url":"${URL}/${name}","type":"Patient","kind":"resource",` +
          `"baseDefinition":"${PATIENT}","snapshot":{"element":[${large.join()}]}}`,
      ),
    )
    return structureOf(ctx, `${URL}/${name}`)
  }
  const first = await open('large')
  expect(first?.elements).toHaveLength(19_000)
  expect(await structureOf(ctx, `${URL}/large`)).toBe(first)
  for (let i = 0; i < 8; i++) await open(`large${i}`)
  expect(await structureOf(ctx, `${URL}/large`)).not.toBe(first)
}, 30_000)

test('what is found, but not made, is not made after the deadline', async () => {
  await store(ctx, 'base', PATIENT, min('Patient.name', 1))
  await store(ctx, 'derived', `${URL}/base`, min('Patient.birthDate', 1))
  await structureOf(ctx, `${URL}/derived`)
  const late = refusal(structureOf(ctx, `${URL}/base`, ctx.clock() - 1))
  expect(shape(await late)).toEqual([503, 'too-costly', [undefined]])
  expect(await minOf(ctx, `${URL}/base`, 'Patient.name')).toBe(1)
})

test('others get their turn between one snapshot and the next', async () => {
  for (let i = 0; i < 20; i++) await store(ctx, `named${i}`, PATIENT, min('Patient.name', 1))
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  for (let i = 0; i < 20; i++) await structureOf(ctx, `${URL}/named${i}`)
  clearInterval(timer)
  expect(turns).toBeGreaterThanOrEqual(10)
})
