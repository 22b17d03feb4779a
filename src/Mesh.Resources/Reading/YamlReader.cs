using Mesh.Resources.Diagnostics;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Mesh.Resources.Reading;

/// <summary>Parses the documents of a file, reporting syntax errors where they stand and going on with the next document.</summary>
internal static class YamlReader
{
    public static List<YamlDocument> Read(string file, string text, DiagnosticBag report)
    {
        var documents = new List<YamlDocument>();
        var index = 0;
        foreach (var (linesBefore, part) in DocumentSplitter.Split(text))
        {
            index++;
            var parser = new Parser(new StringReader(part));
            try
            {
                parser.Consume<StreamStart>();
                while (parser.TryConsume<DocumentStart>(out _))
                {
                    var root = new YamlTreeBuilder(parser, linesBefore).Build();
                    parser.Consume<DocumentEnd>();
                    if (root is not YamlScalar { IsNull: true }) documents.Add(new YamlDocument(file, index, root));
                }
            }
            catch (YamlException e)
            {
                Report(e.Start, Clean(e.Message), Hint(part, e));
            }
            catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or OverflowException or IndexOutOfRangeException)
            {
                // The parser fails on some texts without saying where; what it read last is the nearest place.
                Report(
                    parser.Current?.End ?? Mark.Empty, "The document cannot be parsed from here on",
                    "look for brackets and quotes that are not closed");
            }

            void Report(Mark at, string message, string? hint) =>
                report.Error(
                    new Spot(file, index, "", (int)at.Line + linesBefore, (int)at.Column), DiagnosticCodes.YamlSyntax, message, hint);
        }

        return documents;
    }

    /// <summary>Leaves out the place that the library writes before its messages: ours is that of the file.</summary>
    private static string Clean(string message)
    {
        var end = message.LastIndexOf("): ", StringComparison.Ordinal);
        var text = end < 0 ? message : message[(end + 3)..];
        return text.ReplaceLineEndings(" ").TrimEnd('.');
    }

    private static string? Hint(string part, YamlException e)
    {
        var lines = part.Split('\n');
        var line = (int)e.Start.Line - 1;
        return line >= 0 && line < lines.Length && lines[line].TrimStart(' ').StartsWith('\t')
            ? "indent with spaces: YAML allows no tabs there"
            : null;
    }
}
