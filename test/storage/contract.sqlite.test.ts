import { storageContract } from './contract.ts'
import { inAFile, inMemory } from './on-sqlite.ts'

storageContract('sqlite in a file', inAFile)
storageContract('sqlite in memory', inMemory)
