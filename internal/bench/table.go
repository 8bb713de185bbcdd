package main

import (
	"fmt"
	"slices"
)

// spread is the least, the median and the most of a figure.
func spread[T any](runs []T, format string, figure func(T) float64) string {
	v := sorted(runs, figure)
	return fmt.Sprintf(format+" "+format+" "+format, v[0], v[len(v)/2], v[len(v)-1])
}

func median[T any](runs []T, figure func(T) float64) float64 {
	v := sorted(runs, figure)
	return v[len(v)/2]
}

func sorted[T any](runs []T, figure func(T) float64) []float64 {
	v := make([]float64, len(runs))
	for i, r := range runs {
		v[i] = figure(r)
	}
	slices.Sort(v)
	return v
}
