//go:build race

package h2

// raceEnabled: the race detector has pools forget what they hold.
const raceEnabled = true
