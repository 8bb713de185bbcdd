package jsonscan

import "bytes"

// TooDeep reports whether valid JSON nests objects and arrays more than most deep. jsontext has a bound of its
// own, 10,000, that cannot be set. As nearly no event has so many brackets at
// all, counting them is enough but for the odd one.
func TooDeep(value []byte, most int) bool {
	if bytes.Count(value, []byte{'{'})+bytes.Count(value, []byte{'['}) <= most {
		return false
	}
	depth, inString := 0, false
	for i := 0; i < len(value); i++ {
		switch b := value[i]; {
		case inString && b == '\\':
			i++
		case b == '"':
			inString = !inString
		case inString:
		case b == '{' || b == '[':
			if depth++; depth > most {
				return true
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return false
}
