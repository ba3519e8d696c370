import { catchAll } from './mutants/catch.ts'
import { wordMutants } from './mutants/words.ts'

catchAll('what is said', wordMutants)
