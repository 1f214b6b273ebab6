import { expect, test } from 'vitest'
import { faultOf, nameOf } from '../../src/lib/fault.ts'

const driverError = () =>
  Object.assign(new Error('E11000 duplicate key error dup key: { _id: "Patient/Menon" }\n    at Menon'), {
    name: 'MongoServerError',
    code: 11000,
  })

test('of a driver error name, code and places are told, never the message', () => {
  expect(nameOf(driverError())).toBe('MongoServerError 11000')
  const text = faultOf(driverError())
  expect(text).toMatch(/^MongoServerError 11000\n +at /)
  expect(text).toContain('fault.test.ts')
  expect(text).not.toContain('Menon')
})

test('nor where it is the cause of an error', () => {
  const text = faultOf(new TypeError('x is not a function', { cause: driverError() }))
  expect(text).toMatch(/^TypeError: x is not a function\n +at /)
  expect(text).toContain('\ncaused by MongoServerError 11000\n')
  expect(text).not.toContain('Menon')
})

test.each([
  ['Error', new Error('D1_ERROR: UNIQUE constraint failed: Menon')],
  ['SyntaxError', new SyntaxError(`Unexpected token 'M', "Menon" is not valid JSON`)],
  [
    'TypeError ERR_INVALID_ARG_TYPE',
    Object.assign(new TypeError("Received 'Menon'"), { code: 'ERR_INVALID_ARG_TYPE' }),
  ],
  [
    'Error ERR_SQLITE_ERROR 1',
    Object.assign(new Error('near "Menon"'), { code: 'ERR_SQLITE_ERROR', errcode: 1 }),
  ],
])('%s quotes values: its message is left out', (name, error) => {
  expect(faultOf(error).split('\n')[0]).toBe(name)
  expect(faultOf(error)).not.toContain('Menon')
})

test('a message that was changed after the error was made is left out too', () => {
  const error = driverError()
  error.message = 'other'
  expect(faultOf(error).split('\n')[0]).toBe('MongoServerError 11000')
  expect(faultOf(error)).not.toMatch(/duplicate|Menon/)
})

test('what is no error, and causes in a circle, are told in a bounded text', () => {
  expect(faultOf('Menon')).toBe('string')
  const circle = new Error('round')
  circle.cause = circle
  expect(faultOf(circle).match(/Error: round/g)).toHaveLength(6)
  expect(faultOf(new Error('long', { cause: new Error('x'.repeat(1e6)) })).length).toBeLessThanOrEqual(8000)
})
