"""The first place in time (`post.chrono_id`) that no post has, from a given one upwards; for both databases."""

#: Reads the run of taken places in the index once, however long it is.
FIRST_GAP = """
SELECT CASE WHEN EXISTS (SELECT 1 FROM post WHERE chrono_id = :first) THEN
  (SELECT a.chrono_id + 1 FROM post AS a WHERE a.chrono_id >= :first
   AND NOT EXISTS (SELECT 1 FROM post AS b WHERE b.chrono_id = a.chrono_id + 1) ORDER BY a.chrono_id LIMIT 1)
ELSE :first END
"""
