/** The load generator of the search benchmark: a process of its own, driven by messages. Closed loops, open loops, filling and writing. */
import { expectStatus, WrongAnswer } from '../check.ts'
import { type Answer, type Connection, connection } from '../http-connection.ts'
import { seeded } from '../random.ts'
import { type Latency, latencyOf } from '../stats.ts'
import { makeData, observationResource } from './data.ts'
import { FAMILIES, type Question, WALKS } from './families.ts'

export interface LoadConfig {
  baseUrl: string
  seed: number
  resources: number
}

/** `what`: the name of a family or of a walk. */
export type Order =
  | { do: 'fill'; clients: number; batch: number; from: number; to: number }
  | { do: 'closed'; what: string; clients: number; seconds: number; round: number }
  | { do: 'open'; what: string; perSecond: number; seconds: number; round: number }
  | { do: 'walk'; what: string; pages: number }
  | { do: 'write'; clients: number }
  | { do: 'rest' }

export interface Result extends Latency {
  requests: number
  /** Resources written, pages walked, or requests. */
  operations: number
  seconds: number
}

export type Outcome = { ok: true; result: Result } | { ok: false; wrong: boolean; message: string }

const config = JSON.parse(process.argv[2] ?? '') as LoadConfig
const data = makeData(config.seed, config.resources)
const url = new URL(config.baseUrl)
const prefix = url.pathname.replace(/\/$/, '')
/** The fiftieth pages, by the name of their walk: paths below the base URL. */
const pages = new Map<string, string>()

const READ = 'Accept: application/fhir+json\r\n'
const WRITE = `${READ}Content-Type: application/fhir+json\r\nPrefer: return=minimal\r\n`

const opened = (): Connection => connection(url.hostname, Number(url.port || 80))
const get = (on: Connection, path: string): Promise<Answer> => on.request('GET', prefix + path, READ)

function questions(what: string, round: number, client: number): () => Question {
  const random = seeded(config.seed * 7919 + round * 104_729 + client)
  const walked = pages.get(what)
  if (walked !== undefined)
    return () => ({
      path: walked,
      check: answer => expectStatus(answer, 200),
    })
  const family = FAMILIES.find(({ name }) => name === what)
  if (!family) throw new Error(`There is no family ${what}.`)
  return () => family.ask(data, random)
}

function judge(question: Question, answer: Answer): void {
  try {
    question.check(answer)
  } catch (error) {
    if (!(error instanceof WrongAnswer)) throw error
    throw new WrongAnswer(`GET ${question.path}: ${error.message}`)
  }
}

const finished = (latencies: readonly number[], start: number, operations = latencies.length): Result => ({
  requests: latencies.length,
  operations,
  seconds: (performance.now() - start) / 1000,
  ...latencyOf(latencies),
})

/** So many clients, each asking again when it has judged the answer. */
async function closed(order: Extract<Order, { do: 'closed' }>): Promise<Result> {
  const latencies: number[] = []
  const start = performance.now()
  const end = start + order.seconds * 1000
  const one = async (client: number): Promise<void> => {
    const on = opened()
    const next = questions(order.what, order.round, client)
    try {
      while (performance.now() < end) {
        const question = next()
        const sent = performance.now()
        const answer = await get(on, question.path)
        latencies.push(performance.now() - sent)
        judge(question, answer)
      }
    } finally {
      on.close()
    }
  }
  await Promise.all(Array.from({ length: order.clients }, (_, client) => one(client)))
  return finished(latencies, start)
}

/** Most requests under way in an open loop; a server that falls behind further has lost anyway. */
const CONNECTIONS = 256

/** Requests at times of a Poisson process, whether the answers have come or not: latency counts from the time that was due. */
async function open(order: Extract<Order, { do: 'open' }>): Promise<Result> {
  const latencies: number[] = []
  const next = questions(order.what, order.round, 1000)
  const random = seeded(config.seed + order.round)
  const free: Connection[] = []
  const waiting: ((on: Connection) => void)[] = []
  const all: Connection[] = []
  const start = performance.now()
  const end = start + order.seconds * 1000
  const running = new Set<Promise<void>>()
  let fault: unknown

  const connected = (): Promise<Connection> | Connection => {
    const on = free.pop()
    if (on) return on
    if (all.length < CONNECTIONS) {
      const made = opened()
      all.push(made)
      return made
    }
    return new Promise(resolve => waiting.push(resolve))
  }
  const ask = async (due: number): Promise<void> => {
    const on = await connected()
    try {
      const question = next()
      const answer = await get(on, question.path)
      latencies.push(performance.now() - due)
      judge(question, answer)
    } finally {
      const heir = waiting.shift()
      if (heir) heir(on)
      else free.push(on)
    }
  }
  let due = start
  while (due < end && fault === undefined) {
    const wait = due - performance.now()
    // Nothing spins: the server needs the other core. A timer is late by a millisecond or so, which counts as latency.
    if (wait > 0) await new Promise(resolve => setTimeout(resolve, wait))
    else {
      const asked: Promise<void> = ask(due)
        .catch(error => {
          fault ??= error
        })
        .finally(() => running.delete(asked))
      running.add(asked)
      due -= (Math.log(1 - random()) * 1000) / order.perSecond
    }
  }
  await Promise.all(running)
  for (const on of all) on.close()
  if (fault !== undefined) throw fault
  return finished(latencies, start)
}

/** Follows `next` links and keeps where the page begins. */
async function walk(order: Extract<Order, { do: 'walk' }>): Promise<Result> {
  const one = WALKS.find(({ name }) => name === order.what)!
  const on = opened()
  const latencies: number[] = []
  const start = performance.now()
  const seen = new Set<string>()
  let path = one.path(data)
  try {
    for (let page = 1; page < order.pages; page++) {
      const sent = performance.now()
      const answer = await get(on, path)
      latencies.push(performance.now() - sent)
      expectStatus(answer, 200)
      const bundle = JSON.parse(answer.body)
      for (const { resource } of bundle.entry ?? []) {
        if (seen.has(resource.id)) throw new WrongAnswer(`${order.what}: ${resource.id} stands on two pages`)
        seen.add(resource.id)
      }
      const next = bundle.link?.find(({ relation }: { relation: string }) => relation === 'next')?.url
      if (next === undefined) throw new WrongAnswer(`${order.what} ends with page ${page}`)
      const { pathname, search } = new URL(next)
      path = pathname.slice(prefix.length) + search
    }
  } finally {
    on.close()
  }
  pages.set(order.what, path)
  return finished(latencies, start)
}

/** Puts the units `from` to `to`, so many in a transaction. */
async function fill(order: Extract<Order, { do: 'fill' }>): Promise<Result> {
  const latencies: number[] = []
  const start = performance.now()
  let next = order.from
  let operations = 0
  const one = async (): Promise<void> => {
    const on = opened()
    try {
      while (next < order.to) {
        const units = Array.from({ length: Math.min(order.batch, order.to - next) }, (_, i) => next + i)
        next += units.length
        const body = data.transaction(units)
        const sent = performance.now()
        const answer = await on.request('POST', prefix || '/', WRITE, body)
        latencies.push(performance.now() - sent)
        expectStatus(answer, 200)
        operations += units.length * 10
        if (Math.floor(operations / 50_000) !== Math.floor((operations - units.length * 10) / 50_000))
          process.send?.({ progress: operations, seconds: (performance.now() - start) / 1000 })
      }
    } finally {
      on.close()
    }
  }
  await Promise.all(Array.from({ length: order.clients }, one))
  return finished(latencies, start, operations)
}

let writing: Promise<Result> | undefined
let stopped = false

/** Creates Observations of strangers until it is told to rest. */
async function write(order: Extract<Order, { do: 'write' }>): Promise<Result> {
  const latencies: number[] = []
  const start = performance.now()
  const one = async (client: number): Promise<void> => {
    const on = opened()
    const random = seeded(config.seed + client + Math.floor(start))
    try {
      while (!stopped) {
        // None of the questions that know their hits asks for these subjects, dates or values.
        const { id: _, ...body } = observationResource({
          id: '',
          subject: data.units + Math.floor(random() * 1e6),
          code: data.codes[Math.floor(random() * data.codes.length)]!,
          laboratory: random() < 0.5,
          at: Date.UTC(2010, 0, 1) + Math.floor(random() * 4.7e11),
          value: Math.floor(random() * 1000) / 10,
          unit: 'mg/dL',
        })
        const sent = performance.now()
        const answer = await on.request('POST', `${prefix}/Observation`, WRITE, JSON.stringify(body))
        latencies.push(performance.now() - sent)
        expectStatus(answer, 201)
      }
    } finally {
      on.close()
    }
  }
  await Promise.all(Array.from({ length: order.clients }, (_, client) => one(client)))
  return finished(latencies, start)
}

async function obey(order: Order): Promise<Result> {
  switch (order.do) {
    case 'closed':
      return closed(order)
    case 'open':
      return open(order)
    case 'walk':
      return walk(order)
    case 'fill':
      return fill(order)
    case 'write':
      stopped = false
      writing = write(order)
      writing.catch(() => {})
      return finished([], performance.now())
    case 'rest':
      stopped = true
      return writing!
  }
}

process.on('message', async (order: Order) => {
  let outcome: Outcome
  try {
    outcome = { ok: true, result: await obey(order) }
  } catch (error) {
    const wrong = error instanceof WrongAnswer
    outcome = { ok: false, wrong, message: wrong ? error.message : String((error as Error).stack ?? error) }
  }
  process.send!(outcome)
})
process.on('disconnect', () => process.exit())
