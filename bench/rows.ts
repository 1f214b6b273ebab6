/** The rows of the table: what each one asks of the server, and what the answer must hold. */
import {
  type AnyJson,
  created,
  expect,
  expectMatches,
  expectStatus,
  parse,
  resourceOf,
  transactionIds,
} from './check.ts'
import {
  CODES,
  type DataSet,
  familyQuestions,
  LOINC,
  mrn,
  OBSERVATIONS_PER_PATIENT,
  observationResource,
  patientResource,
  patientTransaction,
  stranger,
  system,
} from './dataset.ts'
import type { Answer } from './http-connection.ts'
import { below, pick, seeded, uuid } from './random.ts'

/** One request of the load with the judgement of its answer. */
export interface Task {
  method: 'GET' | 'POST' | 'PUT'
  /** Below the base URL, begun with a slash; empty is the base itself. */
  path: string
  body?: string
  /** Operations that the request stands for: resources in the bulk load, else 1. */
  operations: number
  /** Throws WrongAnswer. */
  check(answer: Answer): void
}

/** Sends a request outside the measurement. */
export type Send = (method: Task['method'], path: string, body?: string) => Promise<Answer>

export interface Row {
  name: string
  /** Most requests, whatever the time; write rows are bounded so that every server ends with about the same data. */
  most: number
  /** Returns the requests of one client, one after another; undefined ends the row. */
  client(number: number, clients: number): () => Task | undefined
  /** After the measurement: throws WrongAnswer where what was acknowledged was not stored. */
  verify?(send: Send): Promise<void>
}

/** What the server made of the data set: ids by patient number. */
export interface Loaded {
  data: DataSet
  patients: string[]
  observations: string[][]
  /** Times that each patient was updated by this run, and the version that the last update made. */
  revisions: number[]
  versions: (string | undefined)[]
}

export const ROW_NAMES = [
  'read',
  'token search',
  'reference+code search',
  'string+date search',
  'create',
  'update',
  'transaction',
  'bulk load',
] as const
export type RowName = (typeof ROW_NAMES)[number]

const TRANSACTION_TYPES = ['Patient', ...Array<string>(OBSERVATIONS_PER_PATIENT).fill('Observation')]

export function nothingLoaded(data: DataSet): Loaded {
  const { length } = data.persons
  return {
    data,
    patients: Array(length).fill(''),
    observations: Array(length).fill([]),
    revisions: Array(length).fill(0),
    versions: Array(length).fill(undefined),
  }
}

/** Fills the server with the data set, one transaction per patient, and notes the ids. */
export function seedRow(loaded: Loaded): Row {
  const { data } = loaded
  const random = seeded(data.seed + 1)
  let next = 0
  return {
    name: 'seed',
    most: data.persons.length,
    client: () => () => {
      const person = data.persons[next++]
      if (!person) return undefined
      const urn = `urn:uuid:${uuid(random)}`
      return {
        method: 'POST',
        path: '',
        body: JSON.stringify(patientTransaction(patientResource(data.seed, 'seed', person), person, urn)),
        operations: 1 + OBSERVATIONS_PER_PATIENT,
        check(answer) {
          const [patient, ...observations] = transactionIds(answer, TRANSACTION_TYPES)
          loaded.patients[person.number] = patient!
          loaded.observations[person.number] = observations
        },
      }
    },
  }
}

type Make = (loaded: Loaded, round: number) => Row

/** Returns the row; `round` tells repetitions in one run apart, so that each creates what is new. */
export function rowOf(name: Exclude<RowName, 'bulk load'>, loaded: Loaded, round: number): Row {
  return MAKE[name](loaded, round)
}

const randomOf = (loaded: Loaded, name: string, round: number, client: number) =>
  seeded(loaded.data.seed * 1_000_003 + ROW_NAMES.indexOf(name as RowName) * 10_007 + round * 101 + client)

const MAKE: Record<Exclude<RowName, 'bulk load'>, Make> = {
  /** Patients and Observations, each resource of the data set equally often. */
  read: (loaded, round) => ({
    name: 'read',
    most: Number.POSITIVE_INFINITY,
    client(client) {
      const random = randomOf(loaded, 'read', round, client)
      return () => {
        const number = below(random, loaded.patients.length)
        const nth = below(random, OBSERVATIONS_PER_PATIENT + 1) - 1
        return nth < 0 ? readPatient(loaded, number) : readObservation(loaded, number, nth)
      }
    },
  }),

  /** One hit: without the system the card number of the patient before would be a second one. */
  'token search': (loaded, round) => ({
    name: 'token search',
    most: Number.POSITIVE_INFINITY,
    client(client) {
      const random = randomOf(loaded, 'token search', round, client)
      const name = encodeURIComponent(system(loaded.data.seed, 'seed/mrn'))
      return () => {
        const number = below(random, loaded.patients.length)
        return {
          method: 'GET',
          path: `/Patient?identifier=${name}%7C${mrn(number)}`,
          operations: 1,
          check: answer => {
            const [patient] = expectMatches(answer, 'Patient', [loaded.patients[number]!])
            expectPatient(loaded, number, patient)
          },
        }
      }
    },
  }),

  /** Two hits: the patient has eight Observations with other codes, other patients have the code. */
  'reference+code search': (loaded, round) => ({
    name: 'reference+code search',
    most: Number.POSITIVE_INFINITY,
    client(client) {
      const random = randomOf(loaded, 'reference+code search', round, client)
      return () => {
        const number = below(random, loaded.patients.length)
        const kind = below(random, CODES.length)
        const id = loaded.patients[number]!
        const ids = loaded.observations[number]!.filter((_, nth) => nth % CODES.length === kind)
        return {
          method: 'GET',
          path: `/Observation?subject=Patient/${id}&code=${encodeURIComponent(LOINC)}%7C${CODES[kind]}`,
          operations: 1,
          check: answer => {
            for (const observation of expectMatches(answer, 'Observation', ids))
              expect(
                observation.code?.coding?.[0]?.code === CODES[kind] && isReferenceTo(observation, id),
                () => `Observation/${observation.id} has another code or subject`,
              )
          },
        }
      }
    },
  }),

  /** At most five hits: the family has more members, and other families have members of that age. */
  'string+date search': (loaded, round) => ({
    name: 'string+date search',
    most: Number.POSITIVE_INFINITY,
    client(client) {
      const random = randomOf(loaded, 'string+date search', round, client)
      const questions = familyQuestions(loaded.data)
      return () => {
        const { family, from, hits } = pick(random, questions)
        return {
          method: 'GET',
          path: `/Patient?family=${family}&birthdate=ge${from}`,
          operations: 1,
          check: answer => {
            const ids = hits.map(({ number }) => loaded.patients[number]!)
            for (const patient of expectMatches(answer, 'Patient', ids))
              expect(
                patient.name?.[0]?.family === family && patient.birthDate >= from,
                () => `Patient/${patient.id} has another name or birth date`,
              )
          },
        }
      }
    },
  }),

  create: (loaded, round) => {
    const sample = new Sample<{ id: string; value: string }>()
    return {
      name: 'create',
      most: 10_000,
      client(client, clients) {
        const random = randomOf(loaded, 'create', round, client)
        const { seed } = loaded.data
        let nth = 0
        return () => {
          const number = nth++ * clients + client
          const person = stranger(number, random)
          return {
            method: 'POST',
            path: '/Patient',
            body: JSON.stringify(patientResource(seed, `create-${round}`, person)),
            operations: 1,
            check: answer => {
              expectStatus(answer, 201)
              const { id, version } = created(answer, 'Patient')
              expect(version === '1' || version === undefined, () => `version ${version} of a new resource`)
              if (answer.body !== '') expectMrn(resourceOf(answer, 'Patient', id), mrn(number))
              sample.offer({ id, value: mrn(number) })
            },
          }
        }
      },
      async verify(send) {
        for (const { id, value } of sample.kept) {
          const answer = await send('GET', `/Patient/${id}`)
          expectStatus(answer, 200)
          expectMrn(resourceOf(answer, 'Patient', id), value)
        }
      },
    }
  },

  /** Patients of the data set, each client its own, with a new phone number and mail address. */
  update: (loaded, round) => {
    const { data, patients, revisions, versions } = loaded
    const mail = (number: number) => `patient${number}.${revisions[number]}@clinic.example`
    const sample = new Sample<number>()
    return {
      name: 'update',
      most: 10_000,
      client(client, clients) {
        const random = randomOf(loaded, 'update', round, client)
        const own = Math.floor((patients.length - client - 1) / clients) + 1
        return () => {
          const number = below(random, own) * clients + client
          const id = patients[number]!
          revisions[number]!++
          const resource = patientResource(data.seed, 'seed', data.persons[number]!, revisions[number])
          return {
            method: 'PUT',
            path: `/Patient/${id}`,
            body: JSON.stringify({ ...resource, id }),
            operations: 1,
            check: answer => {
              expectStatus(answer, 200)
              const version = /W\/"([^"]+)"/i.exec(answer.head)?.[1]
              expect(
                version !== undefined && version !== versions[number],
                () => `ETag names version ${version}`,
              )
              versions[number] = version
              if (answer.body !== '') {
                const patient = resourceOf(answer, 'Patient', id)
                expect(
                  patient.meta?.versionId === version,
                  () => `meta.versionId is ${patient.meta?.versionId}`,
                )
                expect(patient.telecom?.[1]?.value === mail(number), () => 'the answer is not what was sent')
              }
              sample.offer(number)
            },
          }
        }
      },
      async verify(send) {
        for (const number of sample.kept) {
          const answer = await send('GET', `/Patient/${patients[number]}`)
          expectStatus(answer, 200)
          const patient = resourceOf(answer, 'Patient', patients[number]!)
          expect(
            patient.telecom?.[1]?.value === mail(number) && patient.meta?.versionId === versions[number],
            () => `Patient/${patients[number]} is not as its last update left it`,
          )
        }
      },
    }
  },

  /** One Patient and ten Observations that refer to it. */
  transaction: (loaded, round) => {
    const sample = new Sample<{ ids: string[]; value: string }>()
    return {
      name: 'transaction',
      most: 2_000,
      client(client, clients) {
        const random = randomOf(loaded, 'transaction', round, client)
        const { seed } = loaded.data
        let nth = 0
        return () => {
          const number = nth++ * clients + client
          const person = stranger(number, random)
          const patient = patientResource(seed, `transaction-${round}`, person)
          return {
            method: 'POST',
            path: '',
            body: JSON.stringify(patientTransaction(patient, person, `urn:uuid:${uuid(random)}`)),
            operations: 1,
            check: answer =>
              sample.offer({ ids: transactionIds(answer, TRANSACTION_TYPES), value: mrn(number) }),
          }
        }
      },
      async verify(send) {
        for (const { ids, value } of sample.kept) {
          const patient = await send('GET', `/Patient/${ids[0]}`)
          expectStatus(patient, 200)
          expectMrn(resourceOf(patient, 'Patient', ids[0]!), value)
          const last = await send('GET', `/Observation/${ids.at(-1)}`)
          expectStatus(last, 200)
          expect(
            isReferenceTo(parse(last), ids[0]!),
            () => `Observation/${ids.at(-1)} does not refer to Patient/${ids[0]}`,
          )
        }
      },
    }
  },
}

function readPatient(loaded: Loaded, number: number): Task {
  const id = loaded.patients[number]!
  return {
    method: 'GET',
    path: `/Patient/${id}`,
    operations: 1,
    check: answer => {
      expectStatus(answer, 200)
      expectPatient(loaded, number, resourceOf(answer, 'Patient', id))
    },
  }
}

function readObservation(loaded: Loaded, number: number, nth: number): Task {
  const id = loaded.observations[number]![nth]!
  const sent = observationResource(loaded.data.persons[number]!, nth, '') as AnyJson
  return {
    method: 'GET',
    path: `/Observation/${id}`,
    operations: 1,
    check: answer => {
      expectStatus(answer, 200)
      const observation = resourceOf(answer, 'Observation', id)
      expect(
        isReferenceTo(observation, loaded.patients[number]!) &&
          observation.valueQuantity?.value === sent.valueQuantity.value &&
          observation.code?.coding?.[0]?.code === sent.code.coding[0].code,
        () => `Observation/${id} is not the one that was stored`,
      )
    },
  }
}

function expectPatient(loaded: Loaded, number: number, patient: AnyJson): void {
  const { family, birthDate } = loaded.data.persons[number]!
  expectMrn(patient, mrn(number))
  expect(
    patient.name?.[0]?.family === family && patient.birthDate === birthDate,
    () => `Patient/${patient.id} is not the one that was stored`,
  )
}

function expectMrn(patient: AnyJson, value: string): void {
  const found = patient.identifier?.[0]?.value
  expect(found === value, () => `Patient/${patient.id} has the number ${found} rather than ${value}`)
}

/** A server may answer with an absolute reference or a version-specific one. */
function isReferenceTo(observation: AnyJson, id: string): boolean {
  return new RegExp(`(^|/)Patient/${id}(/|$)`).test(observation.subject?.reference ?? '')
}

/** Keeps at most 50 of what it is offered, thinning out evenly. */
class Sample<T> {
  kept: T[] = []
  private every = 1
  private seen = 0

  offer(item: T): void {
    if (this.seen++ % this.every !== 0) return
    this.kept.push(item)
    if (this.kept.length <= 50) return
    this.kept = this.kept.filter((_, i) => i % 2 === 0)
    this.every *= 2
  }
}
