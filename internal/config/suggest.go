package config

import "strings"

// maxWord bounds the words that are compared and shown: the cost of a comparison
// is the product of both lengths.
const maxWord = 64

// nearest returns the known word most like got, or nothing when none is like it.
// Case and separators do not count, so that maxItems finds max_items.
func nearest(got string, known []string) string {
	if len(got) > maxWord {
		return ""
	}
	best, least := "", 1+len(got)/3
	for _, word := range known {
		if d := distance(bare(got), bare(word)); d < least || d == least && best == "" {
			best, least = word, d
		}
	}
	return best
}

func bare(word string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(word))
}

// distance is the number of bytes to add, drop, replace or swap with their
// neighbour to get from a to b (Damerau's, each byte edited once).
func distance(a, b string) int {
	var before []int // the row above the previous one
	previous := make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(previous[j]+1, row[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, previous = previous, row
	}
	return previous[len(b)]
}
