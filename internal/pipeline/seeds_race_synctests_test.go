//go:build synctests && race

package pipeline

// seedsByDefault is fewer here, as the race detector makes each ten times as slow.
const seedsByDefault = 8
