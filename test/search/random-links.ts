/** A random world of resources that refer to each other, and random chains, reverse chains and filters over it, with a plain reading of each. */
import type { Resource } from '../../src/fhir/json.ts'
import type { generator } from './random.ts'

type Random = ReturnType<typeof generator>

interface Reference {
  reference: string
}

/** Only what the queries ask about. */
interface Thing {
  resourceType: 'Organization' | 'Patient' | 'Observation' | 'Group'
  id: string
  name?: string
  partOf?: Reference
  gender?: string
  managingOrganization?: Reference
  code?: { coding: { code: string }[] }
  subject?: Reference
  performer?: Reference[]
  member?: { entity: Reference }[]
}

const NAMES = ['Aster', 'Asha', 'Blue']
const GENDERS = ['male', 'female', 'other']
const CODES = ['c1', 'c2', 'c3']
const EACH = 8
export const LINKED_TYPES = ['Organization', 'Patient', 'Observation', 'Group'] as const

/** The same ids for all types: what tells resources apart is type and id together. */
const idOf = (i: number): string => `link-${i}`

/** Returns the resources; some references lead to what is not there. */
export function randomWorld({ below, pick }: Random): Resource[] {
  const to = (type: string): Reference => ({ reference: `${type}/${idOf(below(EACH + 1))}` })
  const some = <T>(of: () => T): T[] => Array.from({ length: below(3) }, of)
  const maybe = <K extends string, V>(key: K, value: V): { [key in K]?: V } =>
    (below(4) > 0 ? { [key]: value } : {}) as { [key in K]?: V }
  const things: Thing[] = []
  for (let i = 0; i < EACH; i++)
    things.push(
      {
        resourceType: 'Organization',
        id: idOf(i),
        ...maybe('name', pick(NAMES)),
        ...maybe('partOf', to('Organization')),
      },
      {
        resourceType: 'Patient',
        id: idOf(i),
        ...maybe('gender', pick(GENDERS)),
        ...maybe('managingOrganization', to('Organization')),
      },
      {
        resourceType: 'Observation',
        id: idOf(i),
        code: { coding: [{ code: pick(CODES) }] },
        ...maybe('subject', to(pick(['Patient', 'Patient', 'Group']))),
        performer: some(() => to(pick(['Organization', 'Patient']))),
      },
      { resourceType: 'Group', id: idOf(i), member: some(() => ({ entity: to('Patient') })) },
    )
  return things as unknown as Resource[]
}

/** Which references a parameter of a type follows, and to which types. */
const LINKS: Record<string, Record<string, { types: readonly string[]; of(thing: Thing): Reference[] }>> = {
  Organization: { partof: { types: ['Organization'], of: ({ partOf }) => (partOf ? [partOf] : []) } },
  Patient: {
    organization: {
      types: ['Organization'],
      of: ({ managingOrganization }) => (managingOrganization ? [managingOrganization] : []),
    },
  },
  Observation: {
    subject: { types: ['Patient', 'Group'], of: ({ subject }) => (subject ? [subject] : []) },
    patient: {
      types: ['Patient'],
      of: ({ subject }) => (subject?.reference.startsWith('Patient/') ? [subject] : []),
    },
    performer: { types: ['Organization', 'Patient'], of: ({ performer }) => performer ?? [] },
  },
  Group: { member: { types: ['Patient'], of: ({ member }) => (member ?? []).map(one => one.entity) } },
}

export interface LinkQuery {
  name: string
  value: string
  /** Whether a resource of the type is found. */
  holds(resource: Resource): boolean
}

interface Question extends LinkQuery {
  holds(thing: Thing | Resource): boolean
}

/** Returns a random criterion on a type with `links` links; `plain` has no modifiers but types, as a path in a filter wants. */
export function randomLink(
  random: Random,
  world: readonly Resource[],
  type: string,
  links: number,
  plain = false,
): LinkQuery {
  const things = world as unknown as Thing[]
  const { below, pick } = random
  const follow = ({ reference }: Reference, types: readonly string[]): Thing | undefined =>
    things.find(one => types.includes(one.resourceType) && `${one.resourceType}/${one.id}` === reference)
  const ask = (on: string, left: number): Question => {
    if (left === 0) return leaf(random, on, plain)
    const back = LINKED_TYPES.flatMap(source =>
      Object.entries(LINKS[source]!).flatMap(([code, link]) =>
        link.types.includes(on) ? [{ source, code, link }] : [],
      ),
    )
    if (below(2) === 0 && back.length > 0) {
      const { source, code, link } = pick(back)
      const inner = ask(source, left - 1)
      return {
        ...inner,
        name: `_has:${source}:${code}:${inner.name}`,
        holds: target =>
          things.some(
            one =>
              one.resourceType === source &&
              link.of(one).some(({ reference }) => reference === `${on}/${target.id}`) &&
              inner.holds(one),
          ),
      }
    }
    const [code, link] = pick(Object.entries(LINKS[on]!))
    const target = pick(link.types)
    const inner = ask(target, left - 1)
    return {
      ...inner,
      name: `${code}:${target}.${inner.name}`,
      holds: thing =>
        link.of(thing as Thing).some(reference => {
          const found = follow(reference, [target])
          return found !== undefined && inner.holds(found)
        }),
    }
  }
  return ask(type, links)
}

function leaf({ below, pick }: Random, type: string, plain: boolean): Question {
  const is = (
    name: string,
    values: readonly string[],
    of: (thing: Thing) => string | undefined,
  ): Question => {
    const asked = plain ? [pick(values)] : Array.from({ length: 1 + below(2) }, () => pick(values))
    const equal = (thing: Thing | Resource) => asked.includes(of(thing as Thing) ?? '')
    const value = asked.join(',')
    if (plain || below(3) > 0) return { name, value, holds: equal }
    if (below(2) === 0) return { name: `${name}:not`, value, holds: thing => !equal(thing) }
    const missing = below(2) === 0
    return {
      name: `${name}:missing`,
      value: String(missing),
      holds: thing => (of(thing as Thing) === undefined) === missing,
    }
  }
  if (type === 'Patient' && below(4) > 0) return is('gender', GENDERS, thing => thing.gender)
  if (type === 'Observation' && below(4) > 0) return is('code', CODES, thing => thing.code?.coding[0]?.code)
  if (type === 'Organization' && below(4) > 0) {
    const value = pick(plain ? NAMES : [...NAMES, 'As'])
    const holds = (thing: Thing | Resource) =>
      plain
        ? (thing as Thing).name === value
        : ((thing as Thing).name ?? '').toLowerCase().startsWith(value.toLowerCase())
    return { name: 'name', value, holds }
  }
  const id = idOf(below(EACH + 1))
  return { name: '_id', value: id, holds: thing => thing.id === id }
}

/** Returns a random filter on a type. */
export function randomFilter(random: Random, world: readonly Resource[], type: string): LinkQuery {
  const { below, pick } = random
  const tree = (depth: number): Omit<LinkQuery, 'name'> => {
    const kind = depth === 0 ? 0 : below(4)
    if (kind === 0) {
      const one = randomLink(random, world, type, below(3), true)
      return { value: `${one.name} eq ${one.value}`, holds: one.holds }
    }
    if (kind === 1) {
      const inner = tree(depth - 1)
      return { value: `not (${inner.value})`, holds: thing => !inner.holds(thing) }
    }
    // From left to right, without precedence.
    const parts = Array.from({ length: 2 + below(2) }, () => tree(depth - 1))
    const joins = parts.slice(1).map(() => pick(['and', 'or']))
    return {
      value: parts.map((part, i) => `${i === 0 ? '' : ` ${joins[i - 1]} `}(${part.value})`).join(''),
      holds: thing =>
        parts
          .slice(1)
          .reduce(
            (left, part, i) => (joins[i] === 'and' ? left && part.holds(thing) : left || part.holds(thing)),
            parts[0]!.holds(thing),
          ),
    }
  }
  return { name: '_filter', ...tree(3) }
}

export interface LinkCase extends LinkQuery {
  type: string
}

/** Returns random queries over a world, the same for the same generator. */
export function randomLinkCases(random: Random, world: readonly Resource[], count: number): LinkCase[] {
  const { below, pick } = random
  return Array.from({ length: count }, () => {
    const type = pick(LINKED_TYPES)
    const query =
      below(3) === 0 ? randomFilter(random, world, type) : randomLink(random, world, type, 1 + below(3))
    return { type, ...query }
  })
}
