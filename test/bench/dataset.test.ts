import { describe, expect, it } from 'vitest'
import { familyQuestions, makeDataSet, stranger } from '../../bench/dataset.ts'
import { seeded } from '../../bench/random.ts'

const data = makeDataSet({ seed: 5, patients: 1000 })

describe('the data set', () => {
  it('is the same for the same seed and another for another', () => {
    expect(makeDataSet({ seed: 5, patients: 1000 })).toEqual(data)
    expect(makeDataSet({ seed: 6, patients: 1000 }).persons).not.toEqual(data.persons)
  })

  it('has no family name that is the beginning of another, nor of a created patient', () => {
    const names = [...data.byFamily.keys()]
    const random = seeded(1)
    const strangers = Array.from({ length: 200 }, (_, i) => stranger(i, random).family)
    for (const name of names)
      expect([...names, ...strangers].filter(other => other !== name && other.startsWith(name))).toEqual([])
  })
})

describe('the questions for name and birth date', () => {
  it('have as many hits as a scan of all persons finds, and neither condition alone would do', () => {
    const questions = familyQuestions(data)
    expect(questions.length).toBeGreaterThan(40)
    for (const { family, from, hits } of questions) {
      const matching = data.persons.filter(person => person.family === family && person.birthDate >= from)
      expect(new Set(hits)).toEqual(new Set(matching))
      expect(matching.length).toBeGreaterThan(0)
      expect(data.persons.filter(person => person.family === family).length).toBeGreaterThan(matching.length)
      expect(data.persons.filter(person => person.birthDate >= from).length).toBeGreaterThan(matching.length)
    }
  })
})
