//go:build synctests && !race

package pipeline

const seedsByDefault = 30
