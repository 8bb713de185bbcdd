package kafkatest

import (
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// testTimeout bounds what should take a moment.
const testTimeout = 20 * time.Second
