"""The kind `search`: files that the bulk interface of OpenSearch and Elasticsearch takes."""
