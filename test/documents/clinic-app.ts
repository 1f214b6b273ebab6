/** The clinic behind the HTTP interface, in this process. */
import { beforeEach } from 'vitest'
import { createApp } from '../../src/app.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import type { TestContext } from '../interactions/context.ts'
import { BASE } from '../settings.ts'
import { clinicContext } from './clinic.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field in assertions
export type Any = any

export interface Answer {
  status: number
  headers: Headers
  text: string
  body: Any
}

export let ctx: TestContext
export let ask: (method: string, path: string, body?: Any, type?: string) => Promise<Answer>

/** Gives each test of a file a clinic of its own. */
export const freshClinic = (): void =>
  beforeEach(async () => {
    ctx = await clinicContext()
    const app = createApp({ ctx, metrics: createMetrics('0'), urlLimit: 8192 })
    ask = async (method, path, body, type = 'application/fhir+json') => {
      const response = await app.request(`${BASE}/${path}`, {
        method,
        headers: {
          host: '127.0.0.1:8080',
          ...(body !== undefined && { 'content-type': type }),
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      const isJson = text.startsWith('{')
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: isJson ? JSON.parse(text) : undefined,
      }
    }
  })

/** Returns a Parameters resource. */
export const params = (values: Record<string, unknown>): Any => ({
  resourceType: 'Parameters',
  parameter: Object.entries(values).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(one =>
      typeof one === 'boolean'
        ? { name, valueBoolean: one }
        : typeof one === 'object'
          ? { name, resource: one }
          : { name, [TYPES[name] ?? 'valueString']: one },
    ),
  ),
})
const TYPES: Record<string, string> = {
  hiType: 'valueCode',
  encryption: 'valueCode',
  author: 'valueUri',
  resource: 'valueUri',
  custodian: 'valueUri',
  patient: 'valueUri',
  practitioner: 'valueUri',
  encounter: 'valueUri',
  date: 'valueDateTime',
  graph: 'valueUri',
}
