//go:build race

package loop

// raceEnabled: the race detector makes everything take many times as long.
const raceEnabled = true
