using System.Text;
using Mesh.Simulation.Tokens;

namespace Mesh.Simulation.Server;

/// <summary>Finds where a stop string ends an answer.</summary>
internal static class StopScan
{
    /// <summary>Tokens generated until the first stop string is complete, and the characters that the client sees; null when none occurs.</summary>
    public static (int Tokens, int VisibleChars)? Find(int[] tokens, IReadOnlyList<string> stops, bool include)
    {
        var text = new StringBuilder(tokens.Length * 5);
        foreach (var token in tokens) Token.Append(text, token);
        var whole = text.ToString();
        var start = -1;
        var end = int.MaxValue;
        foreach (var stop in stops)
        {
            var at = whole.IndexOf(stop, StringComparison.Ordinal);
            // The one complete first wins: the engine looks after every token.
            if (at < 0 || at + stop.Length >= end) continue;
            start = at;
            end = at + stop.Length;
        }

        if (start < 0) return null;
        text.Clear();
        var count = 0;
        while (text.Length < end) Token.Append(text, tokens[count++]);
        return (count, include ? end : start);
    }
}
