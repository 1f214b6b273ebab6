import { describe, expect, it } from 'vitest'
import { FhirError } from '../../../src/fhir/error.ts'
import { PathSyntax } from '../../../src/fhir/path/fault.ts'
import { compilePath } from '../../../src/fhir/path/path.ts'
import type { PathValue } from '../../../src/fhir/path/value.ts'
import { around, evaluated, focusOf } from './evaluated.ts'

const DOM_3 =
  "contained.where((('#'+id in (%resource.descendants().reference | %resource.descendants().as(canonical) | %resource.descendants().as(uri) | %resource.descendants().as(url))) or descendants().where(reference = '#').exists() or descendants().where(as(canonical) = '#').exists() or descendants().where(as(canonical) = '#').exists()).not()).trace('unmatched', id).empty()"
const REF_1 =
  "reference.startsWith('#').not() or (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids'))"

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof FhirError) return error.code
    throw error
  }
  return 'none'
}

describe('expressions that are none', () => {
  it.each([
    ['', 0],
    ['name.', 5],
    ['name..given', 5],
    ['(name', 5],
    ['name)', 4],
    ['name.where(use = )', 17],
    ["'open", 0],
    ['`open', 0],
    ['name[0', 6],
    ['1 +', 3],
    ['name.given nothing', 11],
    ['nothing()', 0],
    ['name.where()', 5],
    ['name.first(1)', 5],
    ['name is Nothing', 5],
    ['name.ofType(1)', 5],
    ['@2012-13-01', 0],
    ['@2012-02-30', 0],
    ['name.$this', 5],
    ["'\\u00zz'", 0],
    ['a # b', 2],
  ])('%s is refused at character %i', (expression, at) => {
    let fault: unknown
    try {
      compilePath(expression)
    } catch (error) {
      fault = error
    }
    expect(fault).toBeInstanceOf(PathSyntax)
    expect((fault as PathSyntax).at).toBeGreaterThanOrEqual(at)
    expect((fault as PathSyntax).code).toBe('invalid')
  })

  it.each([
    ['brackets', `${'('.repeat(10_000)}1${')'.repeat(10_000)}`],
    ['signs', `${'-'.repeat(10_000)}1`],
    ['steps', `a${'.a'.repeat(5_000)}`],
    ['sums', `1${'+1'.repeat(2_000)}`],
    ['calls', `${'iif(true,'.repeat(3_000)}1`],
    ['indexes', `a${'[0]'.repeat(2_000)}`],
    ['characters', `'${'x'.repeat(20_000)}'`],
    ['types', `a${' is string'.repeat(2_000)}`],
  ])('too many %s are refused and overflow nothing', (_, expression) => {
    expect(codeOf(() => compilePath(expression))).toBe('invalid')
  })

  it('names that every object of JavaScript has are no functions, operators or words', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty', '__proto__'])
      expect(codeOf(() => compilePath(`${name === 'toString' ? 'valueOf' : name}()`))).toBe('invalid')
    expect(codeOf(() => compilePath('1 constructor 2'))).toBe('invalid')
    expect(codeOf(() => evaluated('%constructor'))).toBe('processing')
  })
})

describe('expressions that would take for ever', () => {
  const many = focusOf({
    resourceType: 'Patient',
    name: Array.from({ length: 2000 }, (_, i) => ({ family: `f${i}`, given: ['a', 'b'] })),
  })

  it.each([
    [
      'a product of lists',
      '%resource.name.where(%resource.name.where(%context.name.given.count() > 3).exists())',
    ],
    ['a repetition that always finds something new', '1.repeat(($this + 1))'],
    ['descendants of descendants', 'descendants().select(%context.descendants())'],
    [
      'combinations that double',
      `name${'.combine($this.name)'.repeat(60)}.select(%context.name.combine(%context.name)).count()`,
    ],
  ])('%s is ended by the budget', (_, expression) => {
    expect(codeOf(() => evaluated(expression, many, { steps: 200_000 }))).toBe('too-costly')
  })

  it('a string that doubles is ended', () => {
    const doubling = `'0123456789'${".replace('', '0123456789')".repeat(12)}`
    expect(codeOf(() => evaluated(doubling))).toBe('processing')
    expect(codeOf(() => evaluated('(1|2|3|4|5|6|7|8|9).repeat($this & $this & $this & $this)'))).toMatch(
      /processing|too-costly/,
    )
  })

  it('numbers grow no further than 400 digits', () => {
    expect(evaluated(`9999999999.9${'.power(64)'.repeat(6)}`)).toEqual([])
    const huge = focusOf({ resourceType: 'Observation', valueInteger: 1 })
    expect(evaluated("'1e99999'.toDecimal() + 1", huge)).toEqual([])
    expect(evaluated("'1e99999'.toDecimal() > 1", huge)).toEqual([true])
    expect(evaluated("'1e-99999'.toDecimal().round(2)", huge)).toEqual([])
    expect(evaluated('@2012-01-01 + 99999999999999999999 days')).toEqual([])
  })

  const long = 'a'.repeat(1_000_000)
  const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`x${i}`, true]))
  const large = focusOf({
    resourceType: 'Basic',
    code: { text: long },
    author: { display: `${long}b` },
    extension: [wide],
    identifier: Array.from({ length: 10_000 }, (_, i) => ({ value: `${i}` })),
    ...wide,
  })

  it.each([
    ['compares', '%context.code.text = %context.author.display'],
    ['orders', '%context.code.text < %context.author.display'],
    ['counts as distinct', '(%context.code.text | %context.author.display).count()'],
    ['searches', "%context.code.text.contains('b')"],
    ['converts', '%context.code.text.toInteger()'],
    ['matches', "%context.code.text.matches('b$')"],
    ['looks for a choice in', '%context.extension.value'],
    ['counts the children of', '%context.children().count()'],
  ])('what %s long strings and large objects costs more steps than one', (_, inner) => {
    const start = performance.now()
    expect(codeOf(() => evaluated(`identifier.select(${inner})`, large))).toBe('too-costly')
    expect(performance.now() - start).toBeLessThan(5000)
  })

  it('the budget is that of the environment, for all its evaluations together', () => {
    const focus = focusOf({ resourceType: 'Patient', name: [{ family: 'x' }] })
    const env = around(focus, { steps: 100 })
    const path = compilePath('name.family')
    expect(
      codeOf(() => {
        for (let i = 0; i < 1000; i++) path.evaluate(focus, env)
      }),
    ).toBe('too-costly')
  })
})

describe('invariants of R4 on large resources', () => {
  const contained = (count: number): PathValue =>
    focusOf({
      resourceType: 'List',
      contained: Array.from({ length: count }, (_, i) => ({
        resourceType: 'Basic',
        id: `c${i}`,
        code: { text: 't' },
      })),
      entry: Array.from({ length: count }, (_, i) => ({ item: { reference: `#c${i}` } })),
    })

  /** Steps that an evaluation takes. */
  function steps(expression: string, count: number): number {
    const focus = contained(count)
    const env = around(focus, { steps: 100_000_000 })
    expect(compilePath(expression).holds(focus, env)).toBe(true)
    return 100_000_000 - env.steps
  }

  it.each([
    ['dom-3', DOM_3],
    ['ref-1', `entry.item.all(${REF_1})`],
    ['bdl-7', 'entry.select(item.reference & id).isDistinct()'],
  ])('%s takes twice the steps on twice the resource', (_, expression) => {
    const [one, two] = [steps(expression, 1000), steps(expression, 2000)]
    expect(two / one).toBeLessThan(2.2)
    expect(two / one).toBeGreaterThan(1.5)
  })

  it('dom-3 finds what nothing refers to', () => {
    const orphan = focusOf({
      resourceType: 'Basic',
      contained: [{ resourceType: 'Patient', id: 'p' }],
      code: { text: 'x' },
    })
    expect(compilePath(DOM_3).holds(orphan, around(orphan))).toBe(false)
    const used = focusOf({
      resourceType: 'Basic',
      contained: [{ resourceType: 'Patient', id: 'p' }],
      subject: { reference: '#p' },
    })
    expect(compilePath(DOM_3).holds(used, around(used))).toBe(true)
    const back = focusOf({
      resourceType: 'Basic',
      contained: [{ resourceType: 'Basic', id: 'b', subject: { reference: '#' } }],
    })
    expect(compilePath(DOM_3).holds(back, around(back))).toBe(true)
  })

  it('what is kept for one resource is not given for another', () => {
    const [a, b] = [contained(1), contained(2)]
    const path = compilePath('%resource.entry.item.count()')
    expect(path.evaluate(a, around(a))[0]?.value).toMatchObject({ text: '1' })
    expect(path.evaluate(b, around(b))[0]?.value).toMatchObject({ text: '2' })
  })
})
