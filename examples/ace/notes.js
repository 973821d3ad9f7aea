/** The app's own table: `TENANT#{client key}` and `NOTE#{id}`, as AWS teaches it. */
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');
const { DynamoDBDocumentClient, PutCommand, QueryCommand } = require('@aws-sdk/lib-dynamodb');

exports.notesIn = (table) => {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
  const keyOf = (clientKey) => `TENANT#${clientKey}`;
  return {
    async of(clientKey) {
      const { Items: items = [] } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': keyOf(clientKey) },
        }),
      );
      return items.map(({ sk, text }) => ({ id: sk.slice('NOTE#'.length), text }));
    },
    save: (clientKey, id, text, signal) =>
      client.send(
        new PutCommand({
          TableName: table,
          Item: { pk: keyOf(clientKey), sk: `NOTE#${id}`, text },
        }),
        { abortSignal: signal },
      ),
  };
};
