/** Numbers as identifiers: once each, whoever asks at the same time, in this process or another. */
import { beforeEach, expect, it } from 'vitest'
import type { Context } from '../../src/context.ts'
import { remove } from '../../src/interactions/delete.ts'
import { numbered, numberIn, type Series, withNumbers } from '../../src/interactions/numbering.ts'
import { read } from '../../src/interactions/read.ts'
import { together } from '../../src/interactions/together.ts'
import { update } from '../../src/interactions/update.ts'
import type { Key, Live } from '../../src/storage/port.ts'
import { patient, resource, testContext } from './context.ts'

const SERIES: Series = { type: 'Patient', system: 'urn:test:number', counter: 'test number' }

let ctx: Context
beforeEach(async () => {
  ctx = await testContext()
})

const made = async (id: string, members = ''): Promise<Live> =>
  (await update(ctx, 'Patient', id, patient(`"id":"${id}"${members && `,${members}`}`))).stored as Live
const numberOf = async (id: string): Promise<number | undefined> =>
  numberIn(resource((await read(ctx, 'Patient', id)).text), SERIES.system)

it('gives the next number as a second name, and the promised one in its place', async () => {
  const other = '{"system":"urn:mrn","value":"1"}'
  await withNumbers(ctx, [SERIES], [await made('a', `"identifier":[${other}]`)])
  await withNumbers(ctx, [SERIES], [await made('b', `"identifier":[{"system":"urn:test:number"},${other}]`)])
  const identifiers = async (id: string) => JSON.parse((await read(ctx, 'Patient', id)).text).identifier
  expect(await identifiers('a')).toEqual([
    { system: 'urn:mrn', value: '1' },
    { use: 'secondary', system: 'urn:test:number', value: '1' },
  ])
  expect(await identifiers('b')).toEqual([
    { system: 'urn:test:number', value: '2' },
    { system: 'urn:mrn', value: '1' },
  ])
  expect((await numbered(ctx, SERIES, 2))?.key).toBe('Patient/b')
  expect(await numbered(ctx, SERIES, 3)).toBeUndefined()
})

it('changes nothing where there is a number already, or nothing of the series', async () => {
  const row = await made('a', '"identifier":[{"system":"urn:test:number","value":"12"}]')
  const found = await withNumbers(ctx, [SERIES], [row])
  expect(found.get('Patient/a')).toBe(row)
  expect(await withNumbers(ctx, [{ ...SERIES, type: 'Location' }], [await made('b')])).toHaveLength(1)
  expect(await numberOf('b')).toBeUndefined()
})

it('passes over numbers that are taken, however many', async () => {
  const taken = Array.from({ length: 30 }, (_, i) => `{"system":"urn:test:number","value":"${i + 1}"}`)
  await made('full', `"identifier":[${taken}]`)
  await withNumbers(ctx, [SERIES], [await made('a'), await made('b')])
  expect([await numberOf('a'), await numberOf('b')]).toEqual([31, 32])
})

it('numbers a resource as it is by then, and leaves out one that is gone', async () => {
  const old = await made('a')
  await made('a', '"active":true')
  const gone = await made('b')
  await remove(ctx, 'Patient', 'b')
  const found = await withNumbers(ctx, [SERIES], [old, gone])
  expect([...found.keys()]).toEqual(['Patient/a'])
  expect(found.get('Patient/a')!.text).toContain('"active":true')
})

it('lets one do the work of all who wait', async () => {
  const done: Key[][] = []
  const work = async (keys: readonly Key[]) => {
    done.push([...keys])
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  const keys = Array.from({ length: 20 }, (_, i) => `Patient/${i}` as const)
  await Promise.all(keys.map(key => together(ctx.storage, [key], 100, work)))
  expect(done.length).toBe(2)
  expect(done.flat().sort()).toEqual([...keys].sort())
})

it('leaves the others to themselves where the one who works for all fails', async () => {
  let calls = 0
  const work = async (_keys: readonly Key[]) => {
    await new Promise(resolve => setTimeout(resolve, 1))
    if (++calls === 2) throw new Error('no store')
  }
  const keys = Array.from({ length: 5 }, (_, i) => `Patient/${i}` as const)
  const ends = await Promise.allSettled(keys.map(key => together(ctx.storage, [key], 100, work)))
  expect(ends.map(one => one.status).sort()).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
  ])
})
