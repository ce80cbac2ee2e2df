"""From messages to events: normalise, segment, extract, resolve, embed, and the pipeline that runs them as durable jobs."""
