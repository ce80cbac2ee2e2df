-- Edges that say what replaced, or repeats, what. `version` grows whenever one comes or goes.
CREATE INDEX edges_of_change ON edges (kind, src) WHERE kind IN (14, 15);
CREATE TABLE change_edges (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL);
INSERT INTO change_edges VALUES (1, 0);
CREATE TRIGGER change_edge_comes AFTER INSERT ON edges WHEN new.kind IN (14, 15) BEGIN UPDATE change_edges SET version = version + 1; END;
CREATE TRIGGER change_edge_goes AFTER DELETE ON edges WHEN old.kind IN (14, 15) BEGIN UPDATE change_edges SET version = version + 1; END;
