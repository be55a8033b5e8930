export interface Example {
  label: string;
  prompt: string;
}

/** Requests that a small local model can carry out. */
export const examples: readonly Example[] = [
  {
    label: 'Roman numerals',
    prompt: 'A command-line program that converts Roman numerals to integers and back',
  },
  {
    label: 'To-do list',
    prompt:
      'A to-do list web app with an API: add, complete and delete tasks, stored in SQLite, with one HTML page',
  },
  {
    label: 'Notes with search',
    prompt: 'A notes API where I can create, list, search by text and delete notes',
  },
  {
    label: 'Word frequency',
    prompt:
      'A command-line program that prints the ten most frequent words of a text file with their counts',
  },
  {
    label: 'Countdown timer',
    prompt: 'A countdown-timer web page with start, pause and reset, and a field for the seconds',
  },
  {
    label: 'Unit converter',
    prompt: 'A unit-converter web page for kilometres and miles, kilograms and pounds',
  },
];
