#!/bin/sh
# Writes message changes to a topic until it is stopped, RATE of them a second:
# over 2,000 messages, one change in five to one of the first twenty. One in 500
# holds what the simulator refuses, one in 2,000 is no JSON: both are to end in the
# dead-letter topic, and are too few for the brake.
set -eu
: "${BROKERS:=localhost:9092}" "${TOPIC:=message-changes}" "${RATE:=50}"
: "${PRODUCER:=/opt/kafka/bin/kafka-console-producer.sh}"

events() {
  awk -v rate="$RATE" 'BEGIN {
    srand()
    clock = "date -u +%Y-%m-%dT%H:%M:%SZ"
    do {
      clock | getline now # once a second: no event is older than it says by more
      close(clock)
      for (i = 0; i < rate; i++) {
        n++
        message = rand() < 0.2 ? int(rand() * 20) : int(rand() * 2000)
        id = sprintf("5f2f3c1a9d1e8b00%08x", message)
        note = "seen " n
        if (rand() < 0.002) note = rand() < 0.5 ? "poison-400" : "poison-item"
        if (rand() < 0.0005) print id "|no JSON"
        else printf "%s|{\"eventId\":\"e-%d\",\"occurredAt\":\"%s\",\"messageId\":\"%s\",\"changes\":{\"subject\":\"change %d\",\"custom\":{\"noteTxt\":\"%s\"}}}\n", id, n, now, id, n, note
      }
      fflush()
    } while (system("sleep 1") == 0)
  }'
}

events | "$PRODUCER" --bootstrap-server "$BROKERS" --topic "$TOPIC" \
  --reader-property parse.key=true --reader-property key.separator='|'
