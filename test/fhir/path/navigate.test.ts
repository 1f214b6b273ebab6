import { describe, expect, it } from 'vitest'
import { evaluated, focusOf, typesOf } from './evaluated.ts'

const observation = focusOf({
  resourceType: 'Observation',
  id: 'o',
  valueQuantity: { value: 5.4, unit: 'g/L', system: 'http://unitsofmeasure.org', code: 'g/L' },
  component: [
    { code: { text: 'a' }, valueString: 'x' },
    { code: { text: 'b' }, _valueString: { extension: [{ url: 'http://e', valueBoolean: true }] } },
  ],
  contained: [{ resourceType: 'Patient', id: 'p', birthDate: '1974-12-25' }],
})

describe('children by name', () => {
  it('a choice goes by its name without the type, and the types are exact', () => {
    expect(typesOf('value', observation)).toEqual(['Quantity'])
    expect(typesOf('component.value', observation)).toEqual(['string', 'string'])
    expect(typesOf('component.first()', observation)).toEqual(['Observation.component'])
  })

  it('valueQuantity is no element: empty, and a fault in strict mode', () => {
    expect(evaluated('valueQuantity', observation)).toEqual([])
    expect(() => evaluated('valueQuantity', observation, { strict: true })).toThrow(
      'Observation has no element valueQuantity',
    )
  })

  it('a type name at the beginning is the focus where it is of that type or specializes it', () => {
    expect(evaluated('Observation.id', observation)).toEqual(['o'])
    expect(evaluated('Resource.id', observation)).toEqual(['o'])
    expect(evaluated('Patient.id', observation)).toEqual([])
  })

  it('contained resources are of the type that they say', () => {
    expect(typesOf('contained', observation)).toEqual(['Patient'])
    expect(typesOf('contained.birthDate', observation)).toEqual(['date'])
    const unknown = focusOf({
      resourceType: 'Basic',
      contained: [{ resourceType: 'Nothing', id: 'n', list: ['a', 'b'] }],
    })
    expect(evaluated('contained.list', unknown)).toEqual(['a', 'b'])
  })

  it('lists of primitives keep their places beside their extensions', () => {
    const name = focusOf(
      { given: ['A', null, 'C'], _given: [null, { extension: [{ url: 'http://e', valueCode: 'masked' }] }] },
      'HumanName',
    )
    expect(evaluated('given', name)).toEqual(['A', null, 'C'])
    expect(evaluated('given[1].extension.value', name)).toEqual(['masked'])
    expect(evaluated('given.where(hasValue())', name)).toEqual(['A', 'C'])
    expect(evaluated("given[1] = 'A'", name)).toEqual([false])
  })

  it('the same with properties that every object of JavaScript has', () => {
    expect(evaluated('constructor', observation)).toEqual([])
    expect(evaluated('contained.toString', observation)).toEqual([])
    const odd = focusOf({ resourceType: 'Nothing' })
    expect(evaluated('constructor | valueOf | `__proto__`', odd)).toEqual([])
  })
})

describe('types', () => {
  it.each([
    ['value is Quantity', true],
    ['value.is(FHIR.Quantity)', true],
    ['value is string', false],
    ['Observation is DomainResource', true],
    ['contained.first() is Resource', true],
    ['component.first() is BackboneElement', true],
    ['component.first() is Element', true],
    ['id is string', true],
    ['id is id', true],
    ['id is uri', false],
    ['id is System.String', false],
    ["'a' is System.String", true],
    ["'a' is String", true],
    ['1 is Integer', true],
    ['value.value is decimal', true],
    ['value.value.value is System.Decimal', true],
  ])('%s is %s', (expression, expected) => {
    expect(evaluated(expression, observation)).toEqual([expected])
  })

  it('as() and ofType() keep primitives of the type itself, and specializations of complex types', () => {
    expect(evaluated('id.as(string)', observation)).toEqual([])
    expect(evaluated('id.as(id)', observation)).toEqual(['o'])
    expect(typesOf('contained.ofType(DomainResource)', observation)).toEqual(['Patient'])
    expect(typesOf('value.ofType(Quantity)', observation)).toEqual(['Quantity'])
    expect(evaluated('(value as Quantity).value', observation)).toEqual([5.4])
    expect(evaluated('value as string', observation)).toEqual([])
  })

  it('type() names the type', () => {
    expect(evaluated('value.type().name', observation)).toEqual(['Quantity'])
    expect(evaluated('1.type()', observation)).toEqual([{ namespace: 'System', name: 'Integer' }])
  })

  it('a quantity of FHIR compares by UCUM; one with a comparator does not', () => {
    expect(evaluated("value = 540 'mg/dL'", observation)).toEqual([true])
    expect(evaluated("value > 500 'mg/dL'", observation)).toEqual([true])
    const less = focusOf({ value: 5, comparator: '<', unit: 'g' }, 'Quantity')
    expect(evaluated("$this < 6 'g'", less)).toEqual([])
  })
})
