/**
 * The connection: what every command is sent with, and what the server must be able to do.
 * https://www.mongodb.com/docs/drivers/node/current/connect/connection-options/
 */
import { type CommandStartedEvent, type Db, MongoClient, type MongoClientOptions } from 'mongodb'
import { fhirError } from '../../fhir/error.ts'
import { spoken } from './failure.ts'

export interface Connected {
  client: MongoClient
  db: Db
}

const DATABASE = 'nadi'

/** Acknowledged by a majority and journaled; read what a majority has; the driver repeats what a lost connection may have cut. */
const PROMISES: MongoClientOptions = {
  appName: 'nadi',
  readPreference: 'primary',
  readConcern: { level: 'majority' },
  writeConcern: { w: 'majority', journal: true },
  retryReads: true,
  retryWrites: true,
  ignoreUndefined: true,
}

/** Given in the URI these win: how long to wait depends on the network. */
const PATIENCE: MongoClientOptions = {
  // A primary is elected in about ten seconds; a request should not outlast its client.
  serverSelectionTimeoutMS: 8000,
  connectTimeoutMS: 8000,
  socketTimeoutMS: 60_000,
  waitQueueTimeoutMS: 10_000,
  maxPoolSize: 50,
}

/**
 * Returns a connected client and the database that the URI names, `nadi` where it names none.
 *
 * Throws FhirError `transient` where no server answers, `not-supported` where the server has no transactions, and `value` for a URI with
 * a bad escape.
 */
export async function connect(
  uri: string,
  onCommand?: (command: CommandStartedEvent) => void,
): Promise<Connected> {
  if (/%(?![0-9A-Fa-f]{2})/.test(uri))
    throw fhirError(
      'value',
      'The URI has a % that begins no escape: in a user name or password % is written %25, and @ %40.',
    )
  const given = new URLSearchParams(uri.split('?')[1] ?? '')
  const names = new Set([...given.keys()].map(name => name.toLowerCase()))
  const patience = Object.fromEntries(
    Object.entries(PATIENCE).filter(([name]) => !names.has(name.toLowerCase())),
  )
  const client = new MongoClient(uri, { ...patience, ...PROMISES, monitorCommands: onCommand !== undefined })
  if (onCommand) client.on('commandStarted', onCommand)
  try {
    await client.connect()
    const db = client.db(databaseName(uri))
    const hello = await db.command({ hello: 1 })
    const transactions = hello.setName !== undefined || hello.msg === 'isdbgrid'
    if (!transactions || hello.logicalSessionTimeoutMinutes === undefined)
      throw fhirError(
        'not-supported',
        'The MongoDB server is neither a member of a replica set nor a router of a sharded cluster, so it has no transactions, which Nadi ' +
          'needs. Start it with --replSet and run rs.initiate() once: a replica set of one member will do.',
      )
    return { client, db }
  } catch (error) {
    await client.close()
    throw spoken(error)
  }
}

function databaseName(uri: string): string {
  const path = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]*)/.exec(uri)?.[1]
  return path === undefined || path === '' ? DATABASE : decodeURIComponent(path)
}
