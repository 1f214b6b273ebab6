/** What an answer must hold. A fault ends the row: a wrong answer has no speed. */
import { type Answer, header } from './http-connection.ts'

/** An answer that is not the right one. The data are invented, so the message may show them. */
export class WrongAnswer extends Error {}

// biome-ignore lint/suspicious/noExplicitAny: answers of foreign servers, read property by property
export type AnyJson = any

export function expectStatus(answer: Answer, ...statuses: number[]): void {
  if (!statuses.includes(answer.status))
    throw new WrongAnswer(
      `status ${answer.status} rather than ${statuses.join(' or ')}: ${answer.body.slice(0, 600)}`,
    )
}

export function expect(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new WrongAnswer(message())
}

/** Returns the resource of an answer, of this type and id. */
export function resourceOf(answer: Answer, type: string, id: string): AnyJson {
  const resource: AnyJson = parse(answer)
  expect(
    resource.resourceType === type && resource.id === id,
    () => `${resource.resourceType}/${resource.id} rather than ${type}/${id}`,
  )
  return resource
}

export function parse(answer: Answer): AnyJson {
  try {
    return JSON.parse(answer.body)
  } catch {
    throw new WrongAnswer(`the body is not JSON: ${answer.body.slice(0, 200)}`)
  }
}

/** Returns id and version that Location names; version is undefined where it names none. */
export function locationOf(
  text: string | undefined,
  type: string,
): { id: string; version: string | undefined } {
  const match = /([A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/([A-Za-z0-9.-]{1,64}))?$/.exec(text ?? '')
  expect(match?.[1] === type, () => `Location ${text} rather than one of a ${type}`)
  return { id: match![2]!, version: match![3] }
}

export const created = (answer: Answer, type: string): { id: string; version: string | undefined } =>
  locationOf(header(answer, 'location'), type)

/**
 * Returns the matches of a searchset, which must be exactly the resources with these ids: no more, no fewer, none twice. A total, where
 * there is one, must be their number.
 */
export function expectMatches(answer: Answer, type: string, ids: readonly string[]): AnyJson[] {
  expectStatus(answer, 200)
  const bundle = parse(answer)
  expect(
    bundle.resourceType === 'Bundle' && bundle.type === 'searchset',
    () => `no searchset: ${answer.body.slice(0, 200)}`,
  )
  const matches: AnyJson[] = []
  for (const { resource, search } of bundle.entry ?? [])
    if ((search?.mode ?? 'match') === 'match') matches.push(resource)
  const found = matches.map(resource => `${resource.resourceType}/${resource.id}`).sort()
  const wanted = ids.map(id => `${type}/${id}`).sort()
  expect(
    found.length === wanted.length && found.every((key, i) => key === wanted[i]),
    () =>
      `${found.length} hits rather than ${wanted.length}${bundle.total === undefined ? '' : ` (total ${bundle.total})`}: ` +
      `[${found.slice(0, 10)}] rather than [${wanted.slice(0, 10)}]`,
  )
  expect(
    bundle.total === undefined || bundle.total === wanted.length,
    () => `total ${bundle.total} rather than ${wanted.length}`,
  )
  return matches
}

/** Returns the ids that a transaction made, in the order of its entries. */
export function transactionIds(answer: Answer, types: readonly string[]): string[] {
  expectStatus(answer, 200)
  const bundle = parse(answer)
  const entries: AnyJson[] = bundle.entry ?? []
  expect(
    bundle.type === 'transaction-response' && entries.length === types.length,
    () =>
      `${bundle.type} with ${entries.length} entries rather than transaction-response with ${types.length}`,
  )
  return entries.map((entry, i) => {
    const status: string = entry.response?.status ?? ''
    expect(status.startsWith('201'), () => `entry ${i} has the status ${status} rather than 201`)
    return locationOf(entry.response.location, types[i]!).id
  })
}
