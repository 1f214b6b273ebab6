import { expect, it } from 'vitest'
import { FhirError } from '../../../src/fhir/error.ts'
import { FUNCTIONS } from '../../../src/fhir/path/functions.ts'
import { compilePath } from '../../../src/fhir/path/path.ts'
import { type Random, random as randomOf, SEED } from '../validate/seeded.ts'
import { around, focusOf } from './evaluated.ts'

const LEAVES = [
  ...'name given family birthDate active telecom contact extension value id meta deceased $this $index $total %resource %context {}'.split(
    ' ',
  ),
  ...[
    "'a'",
    "'[a-z]+'",
    "'(a|b)*'",
    "'\\u0041'",
    "''",
    '0',
    '1',
    '2.50',
    '99999999999999999999',
    "5 'mg'",
    "0 'Cel'",
    '3 days',
    '1 month',
  ],
  ...[
    '@2012',
    '@2012-02-29',
    '@2012-04-15T10:00:00+05:30',
    '@T10:30',
    'true',
    'false',
    'Patient',
    'children()',
    'descendants()',
  ],
]
const OPERATORS = '+ - * / | & = != ~ !~ < <= > >= and or xor implies in contains div mod . .'.split(' ')
const TYPES = ['string', 'Quantity', 'System.Integer', 'Patient', 'BackboneElement', 'Boolean']
const CALLS = [...FUNCTIONS].map(([name, { args }]) => ({ name, args }))

/** Returns an expression that can be read, mostly; whether it can be evaluated is another matter. */
function expressionOf(random: Random, depth: number): string {
  const inner = (): string => expressionOf(random, depth - 1)
  const choice = depth <= 0 ? 0 : random.number(8)
  if (choice === 0) return random.pick(LEAVES)
  if (choice === 1) return `(${inner()}${random.pick([' is ', ' as '])}${random.pick(TYPES)})`
  if (choice === 2) return `(${inner()}) ${random.pick(OPERATORS)} (${inner()})`
  if (choice === 3) return `${random.pick(['-', '+'])}(${inner()})`
  if (choice === 4) return `(${inner()})[${inner()}]`
  const { name, args } = random.pick(CALLS)
  const count = args[0] + random.number(args[1] - args[0] + 1)
  return `(${inner()}).${name}(${Array.from({ length: Math.min(count, 3) }, inner).join(', ')})`
}

/** Returns the expression with a few characters taken out, doubled or put elsewhere. */
function damaged(expression: string, random: Random): string {
  const at = random.number(expression.length)
  const end = at + random.number(4)
  return (
    expression.slice(0, at) +
    random.pick(['', expression.slice(at, end).repeat(2), "'", '(', '.', '@', '%']) +
    expression.slice(end)
  )
}

const FOCUSES = [
  {
    resourceType: 'Patient',
    id: 'p',
    active: true,
    birthDate: '1974-12-25',
    name: [{ given: ['A', null], _given: [null, { id: 'x' }], family: 'B' }],
    telecom: [{ rank: 1 }],
  },
  // What no sound resource is: it may be evaluated before it is known to be unsound.
  {
    resourceType: 'Patient',
    id: 5,
    active: 'x',
    birthDate: ['1974'],
    name: 'B',
    telecom: [null, 1, [['a']]],
    contact: { name: [true] },
    _birthDate: 'y',
    deceasedDateTime: {},
    value: null,
  },
  {
    resourceType: 'Nothing',
    name: [{ given: { family: [1.5, 'a', false] } }],
    value: [[1]],
    extension: [{ url: 1 }],
  },
].map(json => focusOf(json))

it(`arbitrary expressions on arbitrary resources end in values or in an error that says why (seed ${SEED})`, () => {
  const random = randomOf(SEED)
  let evaluations = 0
  for (let round = 0; round < 5000; round++) {
    const sound = expressionOf(random, 4)
    const closed = random.number(4) === 0 ? damaged(sound, random) : sound
    try {
      const path = compilePath(closed)
      for (const focus of FOCUSES) {
        try {
          path.evaluate(focus, around(focus, { steps: 20_000 }))
          path.holds(focus, around(focus, { steps: 20_000 }))
          evaluations++
        } catch (error) {
          if (!(error instanceof FhirError)) throw new Error(`${closed}: ${error}`, { cause: error })
        }
      }
    } catch (error) {
      if (!(error instanceof FhirError)) throw error
    }
  }
  expect(evaluations).toBeGreaterThan(2000)
})
