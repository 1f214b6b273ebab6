import { conceptsContract } from './concepts.ts'
import { inAFile, inMemory } from './on-sqlite.ts'

conceptsContract('sqlite in a file', inAFile)
conceptsContract('sqlite in memory', inMemory)
