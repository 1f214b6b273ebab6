import { afterEach, describe, expect, it } from 'vitest'
import { bulkRow } from '../../bench/bulk-row.ts'
import { bundleSource } from '../../bench/bundles.ts'
import { WrongAnswer } from '../../bench/check.ts'
import { makeDataSet } from '../../bench/dataset.ts'
import { nothingLoaded, type RowName, rowOf, seedRow } from '../../bench/rows.ts'
import { runRow, verifyRow } from '../../bench/run-row.ts'
import { type Faults, type TinyServer, tinyServer } from './tiny-server.ts'

const BOUNDS = { clients: 4, seconds: 20, requests: 60 }

let server: TinyServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

/** Seeds a server with these faults, runs the row on it and reads back. */
async function run(name: Exclude<RowName, 'bulk load'>, faults: Faults = {}) {
  server = await tinyServer(faults)
  const loaded = nothingLoaded(makeDataSet({ seed: 1, patients: 100 }))
  const unbounded = { clients: 4, seconds: 60, requests: Number.POSITIVE_INFINITY }
  await runRow(seedRow(loaded), server.baseUrl, unbounded)
  const row = rowOf(name, loaded, 1)
  const result = await runRow(row, server.baseUrl, BOUNDS)
  await verifyRow(row, server.baseUrl)
  return result
}

describe('a right server passes', () => {
  it.each([
    'read',
    'token search',
    'reference+code search',
    'string+date search',
    'create',
    'update',
    'transaction',
  ] as const)('%s', async name => {
    expect(await run(name)).toMatchObject({ requests: 60, operations: 60 })
  })

  it('bulk load, whose operations are resources', async () => {
    server = await tinyServer()
    const source = bundleSource('no such folder', 1)
    const row = bulkRow(source, 300, 1)
    const result = await runRow(row, server.baseUrl, { ...BOUNDS, requests: Number.POSITIVE_INFINITY })
    expect(result.operations).toBeGreaterThanOrEqual(300)
    expect(result.operations).toBe(result.requests * source.templates[0]!.types.length)
    await verifyRow(row, server.baseUrl)
  })
})

describe('a wrong server fails the run', () => {
  const wrong: [string, Exclude<RowName, 'bulk load'>, Faults, RegExp][] = [
    ['answers a read with another resource', 'read', { confuses: true }, /read: GET .*rather than/],
    ['ignores identifier', 'token search', { ignores: ['identifier'] }, /20 hits rather than 1/],
    ['ignores the system of a token', 'token search', { ignoresSystem: true }, /2 hits rather than 1/],
    ['ignores subject', 'reference+code search', { ignores: ['subject'] }, /hits rather than 2/],
    ['ignores code', 'reference+code search', { ignores: ['code'] }, /10 hits rather than 2/],
    ['ignores family', 'string+date search', { ignores: ['family'] }, /hits rather than/],
    ['ignores birthdate', 'string+date search', { ignores: ['birthdate'] }, /hits rather than/],
    ['does not store a create', 'create', { forgets: 'create' }, /create, read back: status 404/],
    [
      'does not store an update',
      'update',
      { forgets: 'update' },
      /update, read back: .*not as its last update/,
    ],
    ['names the same version for two updates', 'update', { keepsVersion: true }, /ETag names version 2/],
    [
      'leaves urn:uuid references in a transaction',
      'transaction',
      { keepsUrns: true },
      /does not refer to Patient/,
    ],
  ]
  it.each(wrong)('that %s', async (_, name, faults, message) => {
    const outcome = run(name, faults)
    await expect(outcome).rejects.toThrow(WrongAnswer)
    await expect(outcome).rejects.toThrow(message)
  })

  it('that does not store a transaction', async () => {
    server = await tinyServer({ forgets: 'transaction' })
    const loaded = nothingLoaded(makeDataSet({ seed: 1, patients: 100 }))
    const row = rowOf('transaction', loaded, 1)
    await runRow(row, server.baseUrl, BOUNDS)
    await expect(verifyRow(row, server.baseUrl)).rejects.toThrow(/transaction, read back: status 404/)
  })

  it('that links a record by nothing in the bulk load', async () => {
    server = await tinyServer({ keepsUrns: true })
    const row = bulkRow(bundleSource('no such folder', 1), 300, 1)
    await runRow(row, server.baseUrl, { ...BOUNDS, requests: Number.POSITIVE_INFINITY })
    await expect(verifyRow(row, server.baseUrl)).rejects.toThrow(/0 encounters rather than 18/)
  })
})
