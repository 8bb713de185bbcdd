//go:build kafka && linux && race

package e2e

const raceDetector = true
