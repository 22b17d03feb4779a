using System.Collections.Immutable;
using System.Globalization;
using Mesh.Resources.Diagnostics;

namespace Mesh.Resources.Reading;

/// <summary>Numbers: single ones, lists and tables of them, and quantities of bytes.</summary>
internal sealed partial class ObjectReader
{
    /// <summary>A whole number in a range, both ends included.</summary>
    public Located<int>? Int(string name, int min, int max, bool required = false)
    {
        if (Find(name, required) is not { } entry) return null;
        var at = SpotOf(entry);
        if (entry.Value is not YamlScalar scalar || !IsNumberLike(scalar, out var hint) || !ScalarText.TryInteger(scalar.Text, out var value))
        {
            WrongType(at, "a whole number", entry.Value, QuotedHint(entry.Value));
            return null;
        }

        if (hint is not null)
        {
            WrongType(at, "a whole number", entry.Value, hint);
            return null;
        }

        if (value >= min && value <= max) return new Located<int>((int)value, at);
        Report.Error(at, DiagnosticCodes.OutOfRange, $"{at.Path} is {value}, out of the range {min}–{max}");
        return null;
    }

    /// <summary>A number in a range, both ends included.</summary>
    public Located<double>? Number(string name, double min, double max, bool required = false) =>
        Find(name, required) is { } entry ? NumberOf(entry.Value, SpotOf(entry), min, max) : null;

    /// <summary>A list of numbers in a range, both ends included.</summary>
    public ImmutableArray<Located<double>> Numbers(string name, double lowest, double highest, int min, int max, bool required = false) =>
        Items(name, min, max, required, (node, at) => NumberOf(node, at, lowest, highest));

    /// <summary>A list of lists of numbers in a range, both ends included; no bounds on the lists' lengths.</summary>
    public ImmutableArray<Located<ImmutableArray<double>>> NumberRows(string name, double lowest, double highest, bool required = false) =>
        Items(name, 0, int.MaxValue, required, (node, at) =>
        {
            if (node is not YamlSequence row)
            {
                WrongType(at, "a list of numbers", node);
                return null;
            }

            var numbers = row.Items.Select((item, i) =>
                NumberOf(item, at with { Path = $"{at.Path}[{i}]", Line = item.Line, Column = item.Column }, lowest, highest));
            return new Located<ImmutableArray<double>>([.. numbers.Where(n => n is not null).Select(n => n!.Value)], at);
        });

    /// <summary>A number of bytes from 1 to 1 Pi: whole, or a quantity of Kubernetes such as <c>512Mi</c>.</summary>
    public Located<long>? Bytes(string name)
    {
        if (Find(name) is not { } entry) return null;
        var at = SpotOf(entry);
        if (entry.Value is not YamlScalar scalar || (scalar.IsPlain && ScalarText.IsBoolean(scalar.Text)))
        {
            WrongType(at, "a number of bytes", entry.Value);
            return null;
        }

        var isQuantity = ByteQuantity.TryParse(scalar.Text, out var bytes);
        if (isQuantity && bytes is > 0 and <= 1L << 50) return new Located<long>(bytes, at);
        if (isQuantity || ScalarText.IsNumber(scalar.Text))
            Report.Error(at, DiagnosticCodes.OutOfRange, $"{at.Path} is {scalar.Text}, out of the range 1–1Pi bytes");
        else
            Report.Error(
                at, DiagnosticCodes.WrongFormat, $"{at.Path} is {scalar.Text}, which is no quantity of bytes",
                "write a number of bytes, or one with Ki, Mi, Gi, k, M or G, for example 512Mi");
        return null;
    }

    private Located<double>? NumberOf(YamlNode node, Spot at, double min, double max)
    {
        if (node is not YamlScalar { IsPlain: true } scalar || !ScalarText.TryNumber(scalar.Text, out var value))
        {
            WrongType(at, "a number", node, QuotedHint(node));
            return null;
        }

        if (value >= min && value <= max) return new Located<double>(value, at);
        Report.Error(
            at, DiagnosticCodes.OutOfRange,
            string.Create(CultureInfo.InvariantCulture, $"{at.Path} is {value}, out of the range {min}–{max}"));
        return null;
    }

    private static bool IsNumberLike(YamlScalar scalar, out string? hint)
    {
        hint = QuotedHint(scalar);
        return ScalarText.IsNumber(scalar.Text) || scalar.Text.StartsWith("0x", StringComparison.Ordinal);
    }
}
