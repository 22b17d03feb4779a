using Mesh.Resources.Effective;

namespace Mesh.Cli.Output;

/// <summary>What an edit changes in effect, for people: object by object, backend by backend.</summary>
internal static class ChangeText
{
    public static void Write(ToolConsole console, IReadOnlyList<ConfigChange> changes)
    {
        foreach (var subject in changes.GroupBy(c => (c.Kind, c.Subject)))
        {
            var own = subject.Where(c => c.Name == c.Kind).Select(c => c.Before is null ? " (new)" : " (removed)").FirstOrDefault() ?? "";
            console.WriteLine($"{subject.Key.Kind} {subject.Key.Subject}{own}", Palette.Heading);
            foreach (var part in subject.Where(c => c.Name != c.Kind).GroupBy(c => c.Backend))
            {
                if (part.Key is not null) console.WriteLine($"  backend {part.Key}");
                var rows = new Columns();
                foreach (var change in part)
                    rows.Add(
                        $"{change.Name}:", new Columns.Cell($"{change.Before ?? "none"} → {change.After ?? "none"}"),
                        new Columns.Cell(change.Origin?.ToString() ?? "", Palette.Dim));
                rows.Write(console, part.Key is null ? 2 : 4);
            }
        }
    }
}
