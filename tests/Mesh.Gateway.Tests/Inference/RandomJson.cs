using System.Text;
using Mesh.Core.Randomness;

namespace Mesh.Gateway.Tests.Inference;

/// <summary>Random JSON that is rich in the names and shapes that a scanner looks for.</summary>
internal static class RandomJson
{
    private static readonly string[] Names =
        ["model", "prompt", "messages", "stream", "stream_options", "include_usage", "max_tokens", "tools", "content", "text", "arguments", "x", "", "mod\\u0065l", "ü"];

    private static readonly string[] Scalars =
        ["null", "true", "false", "0", "-1", "3.5e10", "99999999999999999999", "\"\"", "\"text\"", "\"\\n\\t\\\\\"", "\"\\u00fc\\ud83d\\ude00\"", "\"日本\""];

    public static void Object(Xoshiro256 random, StringBuilder text, int depth)
    {
        text.Append('{');
        for (int i = 0, n = random.NextInt32(5); i < n; i++)
        {
            if (i > 0) text.Append(", ");
            text.Append('"').Append(Names[random.NextInt32(Names.Length)]).Append("\":");
            Value(random, text, depth + 1);
        }

        text.Append('}');
    }

    private static void Value(Xoshiro256 random, StringBuilder text, int depth)
    {
        switch (depth > 5 ? 0 : random.NextInt32(4))
        {
            case 1:
                Object(random, text, depth);
                break;
            case 2:
                text.Append('[');
                for (int i = 0, n = random.NextInt32(4); i < n; i++)
                {
                    if (i > 0) text.Append(",\n");
                    Value(random, text, depth + 1);
                }

                text.Append(']');
                break;
            default:
                text.Append(Scalars[random.NextInt32(Scalars.Length)]);
                break;
        }
    }
}
