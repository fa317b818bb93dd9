CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, size REAL, data BLOB);
CREATE INDEX by_size ON t(size, name);
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3000)
INSERT INTO t SELECT x, 'name ' || (x * 7919 % 100003), x * 0.75, zeroblob(x % 700) FROM c;
SELECT count(*), sum(size), sum(length(data)), group_concat(name) FROM t WHERE id % 10 = 0;
DELETE FROM t WHERE id % 3 = 0;
SELECT id, sum(size) OVER (ORDER BY id ROWS 50 PRECEDING) FROM t WHERE id % 5 = 0;
SELECT json_group_array(json_object('id', id, 'name', name)) FROM t WHERE id < 500;
SELECT name FROM t ORDER BY substr(name, 7), size DESC;
UPDATE t SET data = CAST(printf('%.*c', id, 'x') AS BLOB) WHERE id < 500;
SELECT a.id, b.name FROM t a JOIN t b ON a.id = b.id * 2 WHERE b.name LIKE '%7%';
PRAGMA integrity_check;
.dump
